"""The check codes of a whole run, column by column: what `check_code` and `fill_code` give."""

from __future__ import annotations

import hmac

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from duly.messages.code import ALPHABET, HOLE, KEY_BYTES_MIN, LENGTH

_SPACE = len(ALPHABET) ** LENGTH
_DIGEST_BYTES = 32


def check_codes(key: bytes, message_ids: pa.ChunkedArray) -> pa.Array:
    """Return `check_code` of each message id; refuse (ValueError) a key that is too short."""
    if len(key) < KEY_BYTES_MIN:
        raise ValueError(f"the key of check codes needs at least {KEY_BYTES_MIN} bytes")
    ids = message_ids.to_pylist()
    digests = b"".join([hmac.digest(key, name.encode(), "sha256") for name in ids])
    words = np.frombuffer(digests, ">u2").reshape(len(ids), _DIGEST_BYTES // 2)
    # The digest is one number, modulo the space: two bytes at a time stay far below 2**63.
    number = np.zeros(len(ids), np.int64)
    for place in range(words.shape[1]):
        number = (number * 2**16 + words[:, place]) % _SPACE
    letters = np.frombuffer(ALPHABET.encode(), np.uint8)
    code = np.empty((len(ids), LENGTH), np.uint8)
    for place in range(0, LENGTH, 2):  # `check_code` takes a pair of letters at a time
        number, pair = np.divmod(number, len(ALPHABET) ** 2)
        code[:, place] = letters[pair // len(ALPHABET)]
        code[:, place + 1] = letters[pair % len(ALPHABET)]
    offsets = pa.py_buffer(np.arange(0, code.size + LENGTH, LENGTH, dtype=np.int32))
    return pa.StringArray.from_buffers(len(ids), offsets, pa.py_buffer(code))


def fill_codes(texts: pa.ChunkedArray, codes: pa.Array) -> pa.Array:
    """Return the texts with their codes; refuse (ValueError) any without exactly one hole."""
    whole = texts.combine_chunks()
    if not len(whole):
        return pa.array((), pa.string())
    if not pc.all(pc.equal(pc.count_substring(whole, HOLE), 1)).as_py():
        raise ValueError("a text has exactly one hole for its check code")
    return pc.binary_join(pc.split_pattern(whole, HOLE), codes)
