# SPDX-License-Identifier: MIT
from lab import footprint, variants
from lab.sizes import by_archive

MAP = """Discarded input sections

 .text          0x0000000000000000       0x99 /usr/lib/libngtcp2.a(cut.o)

Linker script and memory map

 .text          0x0000000000001000       0x10 /usr/lib/x86_64-linux-gnu/libgnutls.a(a.o)
 .text.mquic_version
                0x0000000000001010        0x8 build/libmquic/libmquic.a(core_error.c.o)
 .rodata.str1.1
                0x0000000000001020       0x20 build/libmquic/libmquic.a(mqtt_engine.c.o)
                                         0x31 (size before relaxing)
 .text          0x0000000000001040        0x4 /tmp/ccAb.ltrans0.ltrans.o
 .debug_info    0x0000000000000000     0x1000 build/libmquic/libmquic.a(core_error.c.o)
 .eh_frame_hdr  0x0000000000002000       0x70 /usr/lib/x86_64-linux-gnu/Scrt1.o
 .bss           0x0000000000003000      0x100 /usr/lib/x86_64-linux-gnu/libgnutls.a(a.o)
"""


def test_a_link_map_is_counted_by_component():
    assert by_archive(MAP, variants.component) == {
        "gnutls": 0x10,
        variants.QUIC_HALF: 8,
        variants.MQTT_HALF: 0x20,
        "libmquic": 4,
    }


def test_steps_add_up_and_features_are_left_out():
    options, c_args, links = variants.recipe("LTO", "native")
    assert options == {"buildtype": "debugoptimized", "optimization": "s", "b_lto": "true"}
    assert "-ffunction-sections" in c_args
    assert links == ["-Wl,--gc-sections"]
    name = variants.without(variants.SMALLEST, "all three")
    assert name in variants.names()
    options, _, _ = variants.recipe(name, "native")
    assert {options[part] for part in ("server", "mqtt", "log")} == {"false"}


def test_symbols_of_a_feature_are_added_up():
    symbols = [("handle_pubrel", 200, "t"), ("mqtt_alias_in_resolve", 300, "t"),
               ("mqtt_publish_read", 400, "t"), ("mquic_message_set_qos", 30, "T")]
    assert footprint.inside(symbols) == {"MQTT 5": [300, 1], "QoS 2": [200, 1]}
