"""Customers, and the session of the one who is logged in: a cookie that SECRET_KEY signs."""

from flask import Blueprint, abort, request, session
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from werkzeug.security import check_password_hash, generate_password_hash

from database import db
from models import Customer

blueprint = Blueprint("customers", __name__)


@blueprint.post("/customers")
def register() -> tuple[dict[str, str], int]:
    """Makes a customer, who is logged in then."""
    name, password = _credentials()
    customer = Customer(name=name, password_hash=generate_password_hash(password))
    db.session.add(customer)
    try:
        db.session.commit()
    except IntegrityError:
        abort(409, f"There is a customer {name} already")
    return _begin_session(customer), 201


@blueprint.post("/session")
def log_in() -> dict[str, str]:
    """Begins a session."""
    name, password = _credentials()
    customer = db.session.scalar(select(Customer).where(Customer.name == name))
    if customer is None or not check_password_hash(customer.password_hash, password):
        abort(401, "Name or password is wrong")
    return _begin_session(customer)


@blueprint.get("/session")
def show() -> dict[str, str]:
    """Tells who is logged in."""
    return {"name": logged_in().name}


@blueprint.delete("/session")
def log_out() -> tuple[str, int]:
    """Ends the session."""
    session.clear()
    return "", 204


def logged_in() -> Customer:
    """Returns the customer of the session.

    Raises:
        HTTPException: 401, nobody is logged in.
    """
    customer = db.session.get(Customer, session["customer"]) if "customer" in session else None
    if customer is None:
        abort(401, "Log in first")
    return customer


def _begin_session(customer: Customer) -> dict[str, str]:
    session.clear()
    session["customer"] = customer.id
    return {"name": customer.name}


def _credentials() -> tuple[str, str]:
    # JSON only: a page of another site can send a form here, with the cookies of this one.
    sent = request.get_json()
    given = (sent.get("name"), sent.get("password")) if isinstance(sent, dict) else (None, None)
    if not all(isinstance(each, str) and 0 < len(each) <= 80 and each.isprintable() for each in given):
        abort(400, "name and password are required, each a line of at most 80 characters")
    return given
