"""The word "optional" in the languages of Django's that it is known in; in others, nothing is said.

One word needs no catalogue of messages for each of them, and a catalogue would say it in English where it has none.
"""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import get_language, pgettext

WORDS = {
    "af": "opsioneel", "ar": "اختياري", "be": "неабавязкова", "bg": "по избор", "bn": "ঐচ্ছিক",
    "bs": "neobavezno", "ca": "opcional", "cs": "nepovinné", "cy": "dewisol", "da": "valgfrit", "de": "optional",
    "el": "προαιρετικό", "en": "optional", "eo": "nedeviga", "es": "opcional", "et": "valikuline", "eu": "aukerakoa",
    "fa": "اختیاری", "fi": "valinnainen", "fr": "facultatif", "ga": "roghnach", "gd": "roghainneil", "gl": "opcional",
    "he": "אופציונלי", "hi": "वैकल्पिक", "hr": "neobavezno", "hu": "nem kötelező", "hy": "ոչ պարտադիր",
    "id": "opsional", "is": "valfrjálst", "it": "facoltativo", "ja": "任意", "ka": "არასავალდებულო",
    "kk": "міндетті емес", "kn": "ಐಚ್ಛಿಕ", "ko": "선택 사항", "lb": "optional", "lt": "neprivaloma",
    "lv": "neobligāts", "mk": "незадолжително", "mr": "ऐच्छिक", "ms": "pilihan", "nb": "valgfritt", "ne": "ऐच्छिक",
    "nl": "optioneel", "nn": "valfritt", "pl": "opcjonalnie", "pt": "opcional", "ro": "opțional",
    "ru": "необязательно", "sk": "nepovinné", "sl": "neobvezno", "sr": "необавезно", "sr-latn": "neobavezno",
    "sv": "valfritt", "th": "ไม่บังคับ", "tr": "zorunlu değil", "uk": "за бажанням", "ur": "اختیاری",
    "uz": "ixtiyoriy", "vi": "không bắt buộc", "zh-hans": "选填", "zh-hant": "選填",
}  # fmt: skip


def word() -> str:
    """In the language that is active; a translation of the site's own, of "optional" in this context, goes before."""
    given = pgettext("a form's field", "optional")
    if given != WORDS["en"]:
        return given
    language = (get_language() or settings.LANGUAGE_CODE).lower()
    return WORDS.get(language) or WORDS.get(language.partition("-")[0], "")
