"""What the shop sells: products, and each product's variants with price and stock."""

from __future__ import annotations

from itertools import product as combinations
from random import Random
from typing import Any

Options = dict[str, list[str]]

# name, category, price from, options, sold as final sale
_PRODUCTS: list[tuple[str, str, float, Options, bool]] = [
    ("Oak Desk Lamp", "lighting", 59, {"finish": ["natural", "smoked"], "bulb": ["warm", "daylight"]}, False),
    ("Paper Lantern", "lighting", 24, {"size": ["small", "large"], "colour": ["ivory", "indigo"]}, False),
    ("Reading Light with Clip", "lighting", 19, {"colour": ["black", "white", "coral"]}, False),
    ("Cast Iron Skillet", "kitchen", 45, {"diameter": ["20 cm", "26 cm", "30 cm"]}, False),
    ("Enamel Teapot", "kitchen", 38, {"colour": ["cream", "navy", "olive"], "volume": ["0.8 l", "1.2 l"]}, False),
    ("Hand Mill for Coffee", "kitchen", 89, {"burr": ["steel", "ceramic"]}, False),
    ("Chef's Knife", "kitchen", 120, {"blade": ["18 cm", "21 cm"], "handle": ["walnut", "micarta"]}, False),
    ("Linen Tea Towels, Set of Three", "kitchen", 26, {"pattern": ["stripe", "check", "plain"]}, False),
    ("Sourdough Basket", "kitchen", 22, {"shape": ["round", "oval"]}, False),
    ("Wool Blanket", "textiles", 110, {"size": ["single", "double"], "colour": ["grey", "rust", "moss"]}, False),
    ("Cotton Bed Linen", "textiles", 95, {"size": ["single", "double"], "colour": ["white", "sage", "sand"]}, False),
    ("Bath Towel", "textiles", 28, {"size": ["70 x 140 cm", "100 x 150 cm"], "colour": ["white", "slate"]}, False),
    ("Door Mat from Coir", "textiles", 32, {"size": ["40 x 60 cm", "50 x 80 cm"]}, False),
    ("Trail Backpack", "outdoor", 139, {"volume": ["22 l", "32 l"], "colour": ["pine", "ochre"]}, False),
    ("Two-Person Tent", "outdoor", 289, {"colour": ["sand", "green"]}, False),
    ("Down Sleeping Bag", "outdoor", 219, {"length": ["regular", "long"], "comfort": ["+5 °C", "-5 °C"]}, False),
    ("Insulated Bottle", "outdoor", 34, {"volume": ["0.5 l", "0.75 l", "1 l"], "colour": ["steel", "black"]}, False),
    ("Head Torch", "outdoor", 48, {"lumens": ["300", "600"]}, False),
    ("Camp Stove", "outdoor", 79, {"fuel": ["gas", "alcohol"]}, False),
    ("Rain Jacket", "clothing", 149, {"size": ["S", "M", "L", "XL"], "colour": ["yellow", "graphite"]}, False),
    ("Merino Socks, Two Pairs", "clothing", 29, {"size": ["36-39", "40-43", "44-47"]}, True),
    ("Felt Slippers", "clothing", 52, {"size": ["37", "39", "41", "43"]}, False),
    ("Canvas Apron", "clothing", 36, {"colour": ["natural", "black"]}, False),
    ("Straw Hat", "clothing", 41, {"size": ["S", "M", "L"]}, True),
    ("Mechanical Keyboard", "desk", 129, {"layout": ["full", "tenkeyless"], "switch": ["tactile", "linear"]}, False),
    ("Desk Organiser", "desk", 43, {"wood": ["beech", "walnut"]}, False),
    ("Dotted Notebook", "desk", 18, {"size": ["A5", "A4"], "colour": ["black", "red"]}, False),
    ("Fountain Pen", "desk", 64, {"nib": ["fine", "medium", "broad"]}, False),
    ("Engraved Name Plate", "desk", 39, {"metal": ["brass", "steel"]}, True),
    ("Watercolour Set", "hobby", 57, {"pans": ["12", "24"]}, False),
    ("Ukulele", "hobby", 99, {"size": ["soprano", "concert"], "wood": ["mahogany", "koa"]}, False),
    ("Jigsaw Puzzle, 1000 Pieces", "hobby", 21, {"picture": ["harbour", "orchard", "night train"]}, False),
    ("Telescope for Beginners", "hobby", 199, {"mount": ["table", "tripod"]}, False),
    ("Knitting Needle Set", "hobby", 47, {"material": ["bamboo", "birch"]}, False),
    ("Seed Collection", "garden", 16, {"kind": ["herbs", "salads", "flowers for bees"]}, True),
    ("Pruning Shears", "garden", 44, {"hand": ["right", "left"]}, False),
    ("Watering Can", "garden", 37, {"volume": ["5 l", "9 l"], "colour": ["zinc", "green"]}, False),
    ("Hammock", "garden", 75, {"size": ["one person", "two persons"]}, False),
]  # fmt: skip


def make_products(rng: Random) -> dict[str, dict[str, Any]]:
    """Products by id; ``variants`` by item id."""
    products: dict[str, dict[str, Any]] = {}
    for name, category, price, options, final_sale in _PRODUCTS:
        product_id = f"P{rng.randrange(1000, 9999)}"
        while product_id in products:
            product_id = f"P{rng.randrange(1000, 9999)}"
        variants = {}
        for values in combinations(*options.values()):
            # The dearer end of a list of options is its last one.
            step = sum(choices.index(value) for choices, value in zip(options.values(), values, strict=True))
            variants[f"{rng.randrange(10_000_000, 99_999_999)}"] = {
                "options": dict(zip(options, values, strict=True)),
                "price": round(price * (1 + 0.08 * step) + rng.choice([0, 0, 0.5, 0.9]), 2),
                "stock": 0 if rng.random() < 0.12 else rng.randrange(1, 60),
            }
        products[product_id] = {
            "product_id": product_id,
            "name": name,
            "category": category,
            "final_sale": final_sale,
            "variants": variants,
        }
    return products
