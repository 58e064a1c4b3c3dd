from dash import Dash, Input, Output, callback, dcc, html

board = Dash(__name__)
board.layout = html.Div([dcc.Input(id="name", value="Ada"), html.P(id="greeting")])


@callback(Output("greeting", "children"), Input("name", "value"))
def greet(name):
    return f"Hello {name}!"
