"""The settings of the files app, declared in one place, with their types and defaults.

They are read anew at each use and are never changed here.
"""

from __future__ import annotations

from djintegrate.common.settings import Declared, Setting
from djintegrate.common.types import boolean, folder, number


class FilesSettings:
    journal = Setting("FILES_JOURNAL", folder("the path of a folder that all of the site's processes may write to"))
    lock_timeout = Setting("FILES_LOCK_TIMEOUT", number("a number of seconds, 0 or more"), 10)
    delete_replaced = Setting("FILES_DELETE_REPLACED", boolean, True)
    fsync = Setting("FILES_FSYNC", boolean, False)


config = FilesSettings()
DECLARED = Declared("files", "FILES_", vars(FilesSettings))
