"""Requests to httpbin, which nobody here wrote, and what its documentation says of the answers."""

from tests.image.parity.httpbin_answers import ANSWERS
from tests.image.parity.httpbin_bodies import BODIES_AND_COOKIES
from tests.image.parity.httpbin_requests import REQUESTS

HTTPBIN = [*REQUESTS, *BODIES_AND_COOKIES, *ANSWERS]
