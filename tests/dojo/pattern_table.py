r"""Regular expressions and texts that Python and a browser are both asked about.

Each has a name, the pattern, its flags, and texts of which one at least is found and one is not.
"""

# ruff: noqa: RUF001
# The letters that look like others are what many rows are about.
from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from django.core import validators
from django.core.validators import DomainNameValidator, EmailValidator, URLValidator


@dataclass(frozen=True)
class Row:
    name: str
    pattern: str
    flags: int
    texts: tuple[str, ...]


def _row(name: str, pattern: str, *texts: str, flags: int = 0) -> Row:
    return Row(name, pattern, int(flags), texts)


def _validator(name: str, regex: object, *texts: str) -> Row:
    pattern, flags = regex.pattern, regex.flags  # type: ignore[attr-defined]
    return Row(name, pattern, flags, texts)


def _djangos() -> Iterator[Row]:
    yield _validator("slug", validators.slug_re, "a-b_C9", "a b", "é", "", "a\n", "-")
    yield _validator("unicode slug", validators.slug_unicode_re, "é-ß", "多-٣", "a b", "a\n", "", "😀", "½")
    yield _validator("url", URLValidator.regex, "http://example.com", "HTTPS://exämple.com:8000/a?b#c", "http://", "http://-a.com",
                     "http://1.2.3.4/", "http://256.2.3.4/", "http://[::1]/x", "ftp://u:p@localhost", "http://a b.com",
                     "http://пример.рф", "http://a.b-", "http://example.com\n")  # fmt: skip
    yield _validator(
        "e-mail user", EmailValidator.user_regex, "ada", "a.b+c", '"a b"', "a..b", "ADA", "é", "a b", '"a\nb"', "a\n"
    )
    yield _validator(
        "e-mail domain", EmailValidator.domain_regex, "example.com", "-a.com", "exämple.com", "a", "a.b-", "A.COM"
    )
    yield _validator("e-mail literal", EmailValidator.literal_regex, "[1.2.3.4]", "[::1]", "1.2.3.4", "[::1]\n")
    yield _row("IPv4", rf"^{URLValidator.ipv4_re}\Z", "1.2.3.4", "255.255.255.255", "256.1.1.1", "01.2.3.4", "1.2.3")
    yield _row("IPv6", URLValidator.ipv6_re, "[::1]", "[FE80::1]", "::1", "[g]", flags=re.I)
    yield _validator("integer", validators.integer_validator.regex, "12", "-3", "٣", "1.5", "12\n", "²")
    commas = validators.validate_comma_separated_integer_list
    yield _validator("comma separated", commas.regex, "1,2,33", "1,,2", "1, 2", ",1", "٣,٤")
    signed = validators.int_list_validator(sep=";", allow_negative=True)
    yield _validator("list of integers", signed.regex, "1;-2;3", "1;2;", "-", "1,2")
    yield _validator(
        "domain", DomainNameValidator().regex, "example.com", "пример.рф", "a", "-a.com", "xn--a.com", "a.b.c."
    )
    yield _validator("domain in ASCII", DomainNameValidator(accept_idna=False).regex, "example.com", "exämple.com", "a")


def _kept() -> Iterator[Row]:
    yield _row("search", "b", "abc", "ac", "")
    yield _row("whole", r"\Aab\Z", "ab", "ab\n", "xab", "abx")
    yield _row("dollar", "^ab$", "ab", "ab\n", "ab\n\n", "ab\r", "ab\u2028", "x\nab")
    yield _row("lines", "^b$", "a\nb\nc", "b", "a\rb", "a\u2028b", "ab", flags=re.M)
    yield _row("lines, but the whole", r"(?m)\Ab$.c\Z", "b\nc", "bc", "b c", flags=re.S)
    yield _row("dot", "^a.b$", "a b", "a\nb", "a\rb", "a\u2028b", "a\u2029b", "a\x85b", "a😀b", "ab")
    yield _row("dot for all", "^a.b$", "a\nb", "a\rb", "a😀b", "a😀😀b", flags=re.S)
    yield _row("named group", r"^(?P<q>['\"])\w+(?P=q)$", "'a'", '"a"', "'a\"", "a")
    yield _row("numbered group", r"^(a)(b|c)\2\1$", "abba", "acca", "abca")
    yield _row("group before a digit", r"^(a)\1[0]1$", "aa01", "a01")
    yield _row("group within each round", r"^(?:(\w)\1)+$", "aabb", "aab", "ab", "")
    yield _row("group in a lookahead", r"^(?=(\w+) )\1 \1$", "ab ab", "ab a", "ab abc")
    yield _row("digits", r"^\d+$", "12", "٣", "१२", "²", "½", "a", "𝟘")
    yield _row("no digits", r"^\D$", "a", "1", "٣", "²", "😀")
    yield _row("words", r"^\w+$", "aé_9", "ß多", "½", "²", "a-b", "‿", "e\u0301", "𐐀", "😀")
    yield _row("no words", r"^\W$", "-", "é", "_", "😀", "\u0301")
    yield _row(
        "space", r"^\s+$", " \t\n\r\f\v", "\x1c\x1f", "\x85", "\xa0", "\u2028", "\u200b", "\ufeff", "\u180e", "a"
    )
    yield _row("no space", r"^\S$", "a", "\ufeff", "\x1c", "\u3000", "😀")
    yield _row("ASCII classes", r"^\d\w\s$", "1a ", "٣a ", "1é ", "1a\xa0", "1a\x1c", "1_\v", flags=re.A)
    yield _row("no ASCII classes", r"^\D\W\S$", "٣éa", "1éa", "٣aa", "٣é ", "٣é\xa0", flags=re.A)
    yield _row("classes in a set", r"^[\d\s._-]+$", "1 ٣._-", "a", "\x1c", "²")
    yield _row("complements in a set", r"^[\W\d]+$", "1-٣", "a", "_", "é", "😀")
    yield _row("letters alone", r"^[^\W\d_]+$", "aé多", "a1", "_", "a b", "𐐀", "😀")
    yield _row("all but space, or a hyphen", r"^[^\S-]+$", " ", "-", "a", "\x1c")
    yield _row("boundary", r"\bé\b", "é", "a é b", "éa", "_é", "e\u0301é", "😀é")
    yield _row("boundary in ASCII", r"\bé\b", "aéb", "é", "é b", flags=re.A)
    yield _row("no boundary", r"\B", "ab", "a", "", "-", "😀", "𐐀")
    yield _row("no boundary in ASCII", r"a\B", "ab", "a", "aé", "a_", flags=re.A)
    yield _row("case", "^straße$", "STRAßE", "straẞe", "ſtraße", "STRASSE", "strase", flags=re.I)
    yield _row("case of k, i and s", "^[k-k]is$", "KIS", "\u212aİſ", "kıS", "kjs", flags=re.I)
    yield _row("case of a range", "^[a-z]+$", "Kſ", "İı", "é", "A", "1", flags=re.I)
    yield _row("case of no range", "^[^a-z]$", "é", "K", "\u212a", "İ", "1", flags=re.I)
    yield _row("case of Greek", "^σας$", "ΣΑΣ", "ςασ", "σασ", "σα", flags=re.I)
    yield _row("case of micro", "^µ$", "Μ", "μ", "µ", "m", flags=re.I)
    yield _row("case of three", "^ǆ$", "Ǆ", "ǅ", "ǆ", "dž", flags=re.I)
    yield _row("case of a literal's opposite", "^[^k]$", "K", "\u212a", "j", flags=re.I)
    yield _row("case in ASCII", "^[k]é$", "Ké", "kÉ", "\u212aé", "KÉ", flags=re.I | re.A)
    yield _row("case of a part", "^a(?i:b)c$", "aBc", "abc", "ABc", "aBC")
    yield _row("no case of a part", "(?i)^a(?-i:b)c$", "AbC", "ABC")
    yield _row("ASCII of a part", r"^\w(?a:\w)$", "éa", "éé")
    yield _row("Unicode of a part", r"(?a)^\w(?u:\w)$", "aé", "éa")
    yield _row("dot of a part", "^a(?s:.)b.c$", "a\nb c", "a b\nc")
    yield _row("lines of a part", "(?:^|,)a(?m:$)", "a\nb", "x,a", "ab")
    yield _row("verbose", r"""^ \d{3} [ ] # area
                               \d+ $ # number""", "123 4", "1234", "123  4", flags=re.X)  # fmt: skip
    yield _row("verbose inside", "(?x) ^ a \\ b [#] $ # end", "a b#", "ab#", "a b")
    yield _row("comment", "^a(?#no ( matter)b$", "ab", "a(b")
    yield _row("hexadecimal", r"^\x41\u00e9\U0001f600$", "Aé😀", "aé😀", "Aé")
    yield _row("octal", r"^\101\0\07[\102]$", "A\0\7B", "A00B", "A\0\0077B")
    yield _row("name of a character", r"^\N{EURO SIGN}[\N{BULLET}-\N{BULLET}]$", "€•", "€", "N{EURO SIGN}•")
    yield _row("escapes", r"^\a\f\n\r\t\v\\$", "\a\f\n\r\t\v\\", "afnrtv")
    yield _row("punctuation", r"^\-\!\"\#\%\&\'\,\/\:\;\<\=\>\@_\`\~$", "-!\"#%&',/:;<=>@_`~", "-")
    yield _row("JavaScript's syntax", r"^/\.\*\+\?\^\$\{\}\(\)\|\[\]$", "/.*+?^${}()|[]", "/")
    yield _row("braces as they are", "^{a}{,}x{y}$", "{a}", "{a}x{y}", "{a}}}x{y}")
    yield _row("bracket first", "^[]a]+[^]b]$", "]ac", "]a]", "xa", "]ab")
    yield _row("hyphens", "^[-a][a-][+--][a\\-z]$", "--+-", "a-,z", "aa.b", "b---")
    yield _row("caret and ampersands", r"^[\^a&&b|~]+$", "^a&b", "|~", "c")
    yield _row("brackets in a set", r"^[\[\](){}]+$", "[](){}", "a")
    yield _row("many", "^a{2}b{2,}c{1,2}d{,2}$", "aabbc", "aabbbccdd", "aabc", "aabbccddd")
    yield _row("sparing", "^<.+?>$", "<a>", "<a>b>", "<>")
    yield _row("rounds without getting on", "^(?:a*|b)*$", "aabba", "", "c")
    yield _row("rounds that begin empty", "^(?:|a|b)+c$", "abc", "c", "abd")
    yield _row("empty way", "^(?:a|)b$", "ab", "b", "aab")
    yield _row("ways", "^(?:foo|fob|bar)x|y$", "foox", "foby", "fo", "x")
    yield _row("nothing", "a(?!)|b", "b", "a")
    yield _row("lookahead", r"^(?=.*\d)(?=.*[a-z]).{4,}$", "abc1", "abcd", "1234", "a1")
    yield _row("no lookahead", "^(?!admin$)[a-z]+$", "ada", "admin", "admins")
    yield _row("quantified lookahead", "^(?:(?=a))*(?=a)?[ab]$", "a", "b", "c")
    yield _row("lookbehind", r"(?<=€)\d+", "€5", "$5", "5")
    yield _row("no lookbehind", r"(?<!\.)com$", "xcom", ".com", "com")
    yield _row("lookbehind of ways", "(?<=ab|cd)e(?<!de)", "abe", "cde", "e")
    yield _row("lookbehind beyond the BMP", "(?<=😀)a", "😀a", "😁a")
    yield _row("reference behind", r"^(a|b)x(?<=\1x)y(?!\1)", "axyb", "axya", "cxy")
    yield _row("beyond the BMP", "^.[😀-😂]$", "😀😁", "😀😃", "😀")
    yield _row("not beyond the BMP", "^[^😀]$", "😁", "😀", "a", "😁😁")
    yield _row("two beyond the BMP", "^😀{2}$", "😀😀", "😀")
    yield _row("within a character", r"^(?!a)|\Bx", "😀", "a", "", "ax")
    yield _row("neither end", r"(?<!^)(?!a|$)", "😀", "aa", "ab", "")
    yield _row("beyond the BMP without case", "^[a-z😀-😂]+$", "A😁", "😃", flags=re.I)
    yield _row("phone", r"^\+?1?\d{9,15}$", "+12125552368", "123", "+1212555236x")
    yield _row("postcode", "^[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}$", "SW1A 1AA", "sw1a1aa", "SW1A 1", flags=re.I)
    yield _row("colour", "^#(?:[0-9a-fA-F]{3}){1,2}$", "#fff", "#A0b1C2", "#ffff", "fff")


def _from_python_3_11() -> Iterator[Row]:
    yield _row("atomic", "^(?>a|ab)c$", "ac", "abc")
    yield _row("atomic, sparing", "^(?>a+?)b", "ab", "aab")
    yield _row("possessive", r"^\w*+1$|^\d++x$", "12x", "ab1", "1x", "x")
    yield _row("possessive rounds", "^(?:ab|a)?+b$", "abb", "ab")
    yield _row("possessive rounds of a group", "(.[^B]*){2,}+", "bBB", "bAA")
    yield _row("atomic beside a reference", r"^(x)(?>(y|yz))\1\2$", "xyxy", "xyzxyz", "xyxz")


def _left_to_the_server() -> Iterator[Row]:
    yield _row("conditional", "^(<)?a(?(1)>|)$", "<a>", "a", "<a")
    yield _row("reference without case", r"(?i)^(a)\1$", "aA", "ab")
    yield _row("reference to what may be missing", r"^(a)?b\1$", "aba", "b")
    yield _row("reference to one of the ways", r"^(?:(a)|b)\1$", "aa", "b")
    yield _row("reference out of rounds", r"^(?:(a)|b)*c\1$", "abca", "bc")
    yield _row("reference out of a lookbehind", r"^.?(?<=(a))?b\1$", "aba", "b")
    yield _row("case beyond the BMP", "^[𐐀x]$", "X", "y", flags=re.I)


def _left_from_python_3_11() -> Iterator[Row]:
    yield _row("atomic rounds without getting on", "^(?>(?:a?)*)b", "aab", "c")
    yield _row("atomic in a lookbehind", "(?<=(?>ab))c", "abc", "c")


NEW = sys.version_info >= (3, 11)
KEPT = [*_djangos(), *_kept(), *(_from_python_3_11() if NEW else ())]
LEFT = [*_left_to_the_server(), *(_left_from_python_3_11() if NEW else ())]
