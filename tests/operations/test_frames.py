"""A backup's pieces of tables: what was written is read, however long; what was cut or changed is noticed."""

import io
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.backup_folder import read_compressed, write_compressed
from cli.frames import FRAME_BYTES, compress, decompress
from runtime.errors import PraetorError


def noise(seed: int, size: int) -> bytes:
    """Bytes that do not get smaller: a stream of them is as long compressed."""
    return random.Random(seed).randbytes(size)


@given(st.lists(st.binary(max_size=200)))
def test_short_streams_come_back(blocks: list[bytes]) -> None:
    assert b"".join(decompress(io.BytesIO(b"".join(compress(blocks))))) == b"".join(blocks)


@pytest.mark.parametrize("size", [1, 64 << 10, FRAME_BYTES - 1, FRAME_BYTES, FRAME_BYTES + 1, 5 << 20])
def test_a_piece_of_several_frames_comes_back_and_is_never_held_whole(tmp_path, size: int) -> None:
    blocks = [noise(n, size) for n in range(max(2, (3 << 20) // size)) if n < 50]
    entry = write_compressed(tmp_path, "tables/t.native.zst", blocks, "t", 1)
    read = list(read_compressed(tmp_path, entry))
    assert b"".join(read) == b"".join(blocks)
    assert max(map(len, read)) <= FRAME_BYTES + size


def test_what_was_cut_or_changed_is_an_error_that_names_the_file(tmp_path) -> None:
    entry = write_compressed(tmp_path, "t.zst", [noise(1, FRAME_BYTES), noise(2, 1000)], "t", 1)
    whole = (tmp_path / "t.zst").read_bytes()
    for wrong in (whole[:-1], whole[: FRAME_BYTES // 2], whole[:5], b"x" + whole, b"\0" * 12 + whole[12:]):
        (tmp_path / "t.zst").write_bytes(wrong)
        with pytest.raises(PraetorError, match=r"t\.zst is damaged"):
            list(read_compressed(tmp_path, entry))
