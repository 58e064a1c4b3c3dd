import pytest

from sandbox.edge.viewer_function import UnknownStatementError, run

CODE = """
function handler(event) {
  // keeps the name
  const request = event.request;
  request.headers['x-forwarded-host'] = {value: request.headers.host.value};
  request.headers.client = { value: event.viewer.ip };
  request.headers['x-fixed'] = {value: 'yes'};
  return request;
}
"""


def test_headers_are_set_over_those_that_a_client_sends():
    given = (("Host", "shop.example.com"), ("X-Forwarded-Host", "forged"), ("X-Forwarded-Host", "again"))
    assert run(CODE, given, "192.0.2.7") == (
        ("host", "shop.example.com"),
        ("x-forwarded-host", "shop.example.com"),
        ("client", "192.0.2.7"),
        ("x-fixed", "yes"),
    )


@pytest.mark.parametrize("line", ["if (request.uri == '/') {", "request.uri = '/';", "return {statusCode: 403};"])
def test_another_statement_is_an_error_and_not_left_out(line):
    with pytest.raises(UnknownStatementError) as found:
        run(CODE.replace("return request;", line), (), "192.0.2.7")
    assert str(found.value) == line
