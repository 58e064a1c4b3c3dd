"""examples/shop, deployed by the settings of its README: migrations and queries on a real PostgreSQL, sessions."""

import ast
import json
import re

import pytest

from operations.__main__ import main
from sandbox.presets import DOMAIN
from tests.support import postgres
from tests.support.examples import EXAMPLES, Client, running_example, stack_file

NAME = "dualmode-dev"
PARAMETER = "/shop/database-password"


@pytest.fixture(scope="module")
def server():
    folder = postgres.programs()
    if folder is None:
        pytest.skip("needs PostgreSQL, which this machine hasn't: on Debian, apt-get install postgresql")
    with postgres.serving(folder) as found:
        yield found


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory, server):
    environment = {
        "DATABASE_URL": server.address.replace("postgresql:", "postgresql+psycopg:"),
        "DUALMODE_ALLOW_COMMANDS": "1",
    }
    with running_example("shop", tmp_path_factory.mktemp("shop"), environment=environment) as found:
        found.account.client("ssm").put_parameter(Name=PARAMETER, Type="SecureString", Value=server.password)
        yield found


@pytest.fixture(scope="module")
def operate(sandbox):
    """Runs what a `make` target runs, for this deployment; its exit status."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in sandbox.variables.items():
            patch.setenv(name, value)
        yield lambda *words: main([*words, "--function", NAME, "--url", f"https://{DOMAIN}"])


@pytest.fixture(scope="module")
def migrated(operate):
    """The database as `make manage CMD="db upgrade"` leaves it."""
    assert operate("manage", "--command", "db upgrade") == 0


@pytest.fixture
def manage(operate, migrated, capsys):
    """A management command in the deployed function: its exit status and what it printed."""

    def manage(command):
        status = operate("manage", "--command", command)
        return status, capsys.readouterr().out.strip()

    return manage


@pytest.fixture
def ask(sandbox, migrated):
    return Client(sandbox)


@pytest.fixture
def customer(ask, request):
    """A client that has registered, by the name of the test."""
    name = request.node.name[:80]
    answer = ask("POST", "/customers", {"name": name, "password": "correct horse"})
    assert (answer.status, answer.json) == (201, {"name": name})
    return ask


def product(ask, name):
    (found,) = (each for each in ask("GET", "/products").json["products"] if each["name"] == name)
    return found


def test_the_readme_s_database_is_asked_for_over_tls_and_its_password_is_in_no_setting():
    address = re.search(r"DATABASE_URL: (\S+)", stack_file("shop"))[1]
    assert address.endswith("?sslmode=require")
    assert ":" not in address.split("://")[1].split("@")[0]


def test_the_migrations_make_the_tables_of_the_models(manage, server):
    for command, said in (("db current", "0002 (head)"), ("db check", "No new upgrade operations detected.")):
        status, printed = manage(command)
        assert (status, printed.splitlines()[-1]) == (0, said)
    tables = server.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
    assert tables == ["alembic_version", "customer", "product", "purchase"]


def test_a_migration_is_taken_back_and_done_again_with_what_the_tables_hold(manage, customer, server):
    manage("add-product Kept 1.00 5")
    kept = product(customer, "Kept")["id"]
    assert customer("POST", "/orders", {"product": kept}).status == 201
    assert manage("db downgrade 0001")[0] == 0
    columns = "SELECT count(*) FROM information_schema.columns WHERE column_name = 'ordered'"
    assert server.query(columns) == ["0"]
    assert manage("db upgrade")[0] == 0
    assert server.query(columns) == ["1"]
    assert [order["product"] for order in customer("GET", "/orders").json["orders"]] == ["Kept"]


def test_the_application_still_logs_after_a_migration(manage, customer, sandbox):
    manage("add-product Logged 1.00 10")
    key = product(customer, "Logged")["id"]
    for quantity in (3, 7):
        assert customer("POST", "/orders", {"product": key, "quantity": quantity}).status == 201
        log = "".join(log.read_text() for log in sandbox.logs.glob("*.log"))
        assert f"has bought {quantity} of product {key}" in log
        assert manage("db upgrade")[0] == 0


def test_a_product_is_added_by_a_management_command_once(manage, ask):
    status, printed = manage("add-product Tea 4.50 10")
    found = product(ask, "Tea")
    assert found == {"id": found["id"], "name": "Tea", "price": "4.50", "stock": 10}
    assert (status, printed) == (0, f"Product {found['id']}: 10 of Tea at 4.50")
    assert manage("add-product Tea 5.00 1") == (1, "Error: There is a product Tea already.")
    assert manage("add-product Coffee cheap 1")[0] == 1
    assert product(ask, "Tea") == found


def test_a_customer_buys_what_there_is_and_not_more(manage, customer):
    manage("add-product Cake 3.20 3")
    cake = product(customer, "Cake")["id"]
    bought = customer("POST", "/orders", {"product": cake, "quantity": 2})
    order = bought.json
    assert (bought.status, order) == (
        201,
        {"id": order["id"], "product": "Cake", "quantity": 2, "price": "3.20", "ordered": order["ordered"]},
    )
    refused = customer("POST", "/orders", {"product": cake, "quantity": 2})
    assert (refused.status, refused.json) == (409, {"error": f"There are not 2 of product {cake}"})
    assert product(customer, "Cake")["stock"] == 1
    assert customer("GET", "/orders").json == {"orders": [order]}
    for sent in ({"product": "Cake"}, {"product": cake, "quantity": 0}, {"product": cake, "quantity": -1}, [], {}):
        assert customer("POST", "/orders", sent).status == 400
    assert product(customer, "Cake")["stock"] == 1


def test_a_session_lasts_until_log_out_and_begins_with_the_right_password_only(customer, request):
    name = request.node.name[:80]
    assert (customer("GET", "/session").json, customer("GET", "/orders").status) == ({"name": name}, 200)
    assert customer("DELETE", "/session").status == 204
    assert customer.cookies == {}
    for method, target in (("GET", "/session"), ("GET", "/orders"), ("POST", "/orders")):
        answer = customer(method, target, {})
        assert (answer.status, answer.json) == (401, {"error": "Log in first"})
    for wrong in ({"name": name, "password": "wrong"}, {"name": "nobody", "password": "correct horse"}):
        answer = customer("POST", "/session", wrong)
        assert (answer.status, answer.json) == (401, {"error": "Name or password is wrong"})
    assert customer("POST", "/session", {"name": name, "password": "correct horse"}).json == {"name": name}
    assert customer("GET", "/session").status == 200


def test_a_name_is_taken_once(customer, request):
    name = request.node.name[:80]
    answer = customer("POST", "/customers", {"name": name, "password": "another"})
    assert (answer.status, answer.json) == (409, {"error": f"There is a customer {name} already"})
    assert customer("POST", "/customers", {"name": name}).status == 400


def test_a_cookie_is_for_https_and_for_no_script_and_a_changed_one_is_no_session(ask):
    cookie = ask("POST", "/customers", {"name": "cookie", "password": "p"}).headers["set-cookie"]
    assert cookie.split("; ")[1:] == ["Secure", "HttpOnly", "Path=/", "SameSite=Lax"]
    payload, _, signature = ask.cookies["session"].partition(".")
    ask.cookies["session"] = f"{payload[::-1]}.{signature}"
    assert ask("GET", "/session").status == 401


def test_a_form_of_another_site_s_page_is_refused(customer, sandbox):
    sent = json.dumps({"product": 1}).encode()
    plain = Client(sandbox, customer.cookies)
    plain.content_type = "text/plain"  # what a form can send without asking first
    assert plain("POST", "/orders", sent).status == 415


def test_a_session_outlives_the_versions_of_the_function(customer, operate, sandbox):
    functions = sandbox.account.client("lambda")

    def live():
        return functions.get_alias(FunctionName=NAME, Name="live")["FunctionVersion"]

    before, session = live(), customer("GET", "/session").json
    assert operate("restart") == 0
    assert live() != before
    assert customer("GET", "/session").json == session


def test_a_copy_of_the_function_keeps_one_connection_for_five_minutes_and_checks_it():
    (options,) = (
        ast.literal_eval(statement.value)
        for statement in ast.parse((EXAMPLES / "shop" / "database.py").read_text()).body
        if isinstance(statement, ast.Assign) and statement.targets[0].id == "ENGINE_OPTIONS"
    )
    assert options == {
        "pool_size": 1,
        "max_overflow": 0,
        "pool_pre_ping": True,
        "pool_recycle": 300,
        "connect_args": {"connect_timeout": 5},
    }


def connections(server):
    return server.query("SELECT pid FROM pg_stat_activity WHERE client_port > 0 AND pid <> pg_backend_pid() ORDER BY 1")


def test_a_copy_of_the_function_has_one_connection_which_is_made_again_after_the_server_closed_it(ask, server):
    server.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE client_port > 0 AND pid <> pg_backend_pid()"
    )
    assert {ask("GET", "/products").status for _ in range(5)} == {200}
    (first,) = connections(server)
    server.query(f"SELECT pg_terminate_backend({first})")
    assert ask("GET", "/products").status == 200
    (second,) = connections(server)
    assert second != first
