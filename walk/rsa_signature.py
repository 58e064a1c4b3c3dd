"""Whether an RSA signature (RSASSA-PKCS1-v1_5) was made by the owner of a public key.

Source: RFC 8017, section 8.2.2. Only a public key is used here, so nothing has to stay secret.
"""

import hashlib
import hmac

LEAST_BITS = 2048
"""Size of a key. Source: RFC 7518, section 3.3."""

# The hash and the start of its DigestInfo, by the name in a token. Source: RFC 8017, section 9.2, notes.
_DIGESTS = {
    "RS256": ("sha256", bytes.fromhex("3031300d060960864801650304020105000420")),
    "RS384": ("sha384", bytes.fromhex("3041300d060960864801650304020205000430")),
    "RS512": ("sha512", bytes.fromhex("3051300d060960864801650304020305000440")),
}
ALGORITHMS = frozenset(_DIGESTS)


def is_signed(message: bytes, signature: bytes, *, algorithm: str, modulus: int, exponent: int) -> bool:
    """Say whether the signature of a message is right; `algorithm` is one of `ALGORITHMS`."""
    size = (modulus.bit_length() + 7) // 8
    number = int.from_bytes(signature, "big")
    if modulus.bit_length() < LEAST_BITS or exponent < 3 or len(signature) != size or number >= modulus:
        return False
    name, start = _DIGESTS[algorithm]
    info = start + hashlib.new(name, message).digest()
    expected = b"\x00\x01" + b"\xff" * (size - len(info) - 3) + b"\x00" + info
    return hmac.compare_digest(pow(number, exponent, modulus).to_bytes(size, "big"), expected)
