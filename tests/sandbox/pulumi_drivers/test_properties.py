from google.protobuf import struct_pb2

from sandbox.pulumi_drivers import properties

NAMES = [f"NAME_{number:02}" for number in range(40)]


def message(names):
    """A message in which these keys came in this order, below another key."""
    inner = struct_pb2.Struct()
    for name in names:
        one = struct_pb2.Struct()
        one.update({name: "value"})
        inner.MergeFromString(one.SerializeToString())
    return struct_pb2.Struct(fields={"args": struct_pb2.Value(struct_value=inner)})


def test_the_keys_of_a_map_have_one_order_in_whichever_they_were_sent():
    decoded = [properties.decode(message(names)) for names in (NAMES, NAMES[::-1])]
    assert [list(each["args"]) for each in decoded] == [NAMES, NAMES]
