"""What there is to buy, and the management command that adds to it."""

import re
from decimal import Decimal

import click
from flask import Blueprint
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from database import db
from models import Product

blueprint = Blueprint("products", __name__, cli_group=None)


@blueprint.get("/products")
def index() -> dict[str, object]:
    """Lists the products."""
    found = db.session.scalars(select(Product).order_by(Product.name))
    return {
        "products": [
            {"id": each.id, "name": each.name, "price": str(each.price), "stock": each.stock} for each in found
        ]
    }


def price_of(text: str) -> Decimal:
    """Returns a price that a person wrote.

    Raises:
        ValueError: it is not a valid one.
    """
    if not re.fullmatch(r"\d{1,8}(\.\d{1,2})?", text):
        raise ValueError
    return Decimal(text)


@blueprint.cli.command("add-product")
@click.argument("name")
@click.argument("price", type=price_of)
@click.argument("stock", type=click.IntRange(min=0))
def add_product(name: str, price: Decimal, stock: int) -> None:
    """Adds a product, as in `flask add-product Tea 4.50 10`."""
    product = Product(name=name, price=price, stock=stock)
    db.session.add(product)
    try:
        db.session.commit()
    except IntegrityError:
        raise click.ClickException(f"There is a product {name} already.") from None
    click.echo(f"Product {product.id}: {product.stock} of {product.name} at {product.price}")
