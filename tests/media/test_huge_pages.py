"""Which memory is put into large pages, and that a kernel that cannot costs nothing."""

from __future__ import annotations

from pathlib import Path

from media.huge_pages import SIZE, candidates, collapse

MAPS = """\
55d000000000-55d000400000 rw-p 00000000 00:00 0                          [heap]
7f0000001000-7f0000600000 rw-p 00000000 00:00 0
7f0000600000-7f0000a00000 r-xp 00000000 fd:00 1234                       /usr/lib/libpython3.11.so.1.0
7f0000a00000-7f0000e00000 rw-p 00000000 fd:00 1234                       /usr/lib/libpython3.11.so.1.0
7f0000e00000-7f0001200000 rw-s 00000000 00:01 99                         /memfd:room (deleted)
7f0001200000-7f0001300000 rw-p 00000000 00:00 0
7ffd00000000-7ffd00400000 rw-p 00000000 00:00 0                          [stack]
"""


def test_whole_pages_of_our_own_memory() -> None:
    """The heap, and what is mapped without a name; no file, nothing shared, no stack, nothing that is too small."""
    heap = [0x55D000000000, 0x55D000000000 + SIZE]
    assert list(candidates(MAPS)) == [*heap, 0x7F0000200000, 0x7F0000400000]


def test_what_was_put_together_is_counted(tmp_path: Path) -> None:
    """The kernel is asked page by page; where it refuses, the others are asked all the same."""
    maps = tmp_path / "maps"
    maps.write_text(MAPS)
    asked: list[tuple[int, int]] = []

    def advise(address: int, size: int, _advice: int) -> int:
        asked.append((address, size))
        return -1 if len(asked) == 2 else 0

    assert collapse(maps, advise) == 3
    assert [size for _, size in asked] == [SIZE] * 4


def test_without_proc_nothing_is_done(tmp_path: Path) -> None:
    """On another system than Linux."""
    assert collapse(tmp_path / "absent") == 0


def test_of_this_process() -> None:
    """Whatever the kernel makes of it, the memory keeps its content."""
    block = bytearray(range(256)) * (4 * SIZE // 256)
    assert collapse() >= 0
    assert block == bytearray(range(256)) * (4 * SIZE // 256)
