"""Whether Parquet pages carry checksums (FILE-4).

Strategy: Arrow verifies the checksums that are there but does not tell which are, so the header of the
first page of each column chunk is read here: a Thrift struct in the compact protocol, whose field 4 is
the checksum. Nothing else of it is of interest, and it is never trusted for more than that.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq

HEADER_BYTES = 4096
CRC_FIELD = 4
I32 = 5


def first_without_checksum(path: str | Path, metadata: pq.FileMetaData) -> tuple[int, str] | None:
    """Give row group and column of the first column chunk whose first page has no checksum.

    A chunk whose header cannot be understood is passed over: reading the file tells what is wrong with it.
    """
    with Path(path).open("rb") as file:
        for group in range(metadata.num_row_groups):
            for number in range(metadata.num_columns):
                chunk = metadata.row_group(group).column(number)
                offsets = [chunk.data_page_offset]
                if chunk.has_dictionary_page and chunk.dictionary_page_offset is not None:
                    offsets.append(chunk.dictionary_page_offset)
                if chunk.num_values == 0 or min(offsets) < 0:
                    continue
                file.seek(min(offsets))
                if has_checksum(file.read(HEADER_BYTES)) is False:
                    return group, chunk.path_in_schema
    return None


def has_checksum(header: bytes) -> bool | None:
    """Say whether a page header has field 4, its CRC; None where the bytes are no page header."""
    position, field = 0, 0
    while position < len(header):
        byte = header[position]
        position += 1
        if byte == 0 or field + (byte >> 4) > CRC_FIELD:
            return False
        # Fields 1 to 4 of a page header are all i32, in order, so the short form of their ids is used.
        if byte & 15 != I32 or byte >> 4 == 0:
            return None
        field += byte >> 4
        if field == CRC_FIELD:
            return True
        while position < len(header) and header[position] & 0x80:
            position += 1
        position += 1
    return None
