"""What customers buy. The statement that takes from the stock is the check: two requests can't take the same piece."""

from flask import Blueprint, abort, current_app, request
from sqlalchemy import select, update

from customers import logged_in
from database import db
from models import Order, Product

blueprint = Blueprint("orders", __name__)

MOST = 1000


@blueprint.get("/orders")
def index() -> dict[str, object]:
    """Lists what the customer has bought."""
    found = db.session.scalars(select(Order).where(Order.customer_id == logged_in().id).order_by(Order.id))
    return {"orders": [_shown(order) for order in found]}


@blueprint.post("/orders")
def order() -> tuple[dict[str, object], int]:
    """Buys a `quantity` of a `product`."""
    customer = logged_in()
    sent = request.get_json()
    product, quantity = (sent.get("product"), sent.get("quantity", 1)) if isinstance(sent, dict) else (None, None)
    if type(product) is not int or type(quantity) is not int or not 1 <= quantity <= MOST:
        abort(400, f"product must be the id of one, and quantity a number from 1 to {MOST}")
    price = db.session.scalar(
        update(Product)
        .where(Product.id == product, Product.stock >= quantity)
        .values(stock=Product.stock - quantity)
        .returning(Product.price)
    )
    if price is None:
        abort(409, f"There are not {quantity} of product {product}")
    bought = Order(customer_id=customer.id, product_id=product, quantity=quantity, price=price)
    db.session.add(bought)
    db.session.commit()
    current_app.logger.info("Customer %d has bought %d of product %d", customer.id, quantity, product)
    return _shown(bought), 201


def _shown(order: Order) -> dict[str, object]:
    return {
        "id": order.id,
        "product": order.product.name,
        "quantity": order.quantity,
        "price": str(order.price),
        "ordered": order.ordered.isoformat(),
    }
