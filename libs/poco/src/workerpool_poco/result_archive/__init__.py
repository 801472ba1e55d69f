"""Result archives on disk: reads an output folder once, and builds its archive and digest from the same bytes.

The rules are those of `workerpool_poco.protocol.result_archive`.
"""

from workerpool_poco.result_archive.building import (
    AddedFile,
    BuiltResult,
    build_archive,
    build_result,
    folder_result_digest,
)
from workerpool_poco.result_archive.output_folder import Check

__all__ = ["AddedFile", "BuiltResult", "Check", "build_archive", "build_result", "folder_result_digest"]
