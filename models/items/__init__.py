"""The item types, in families small enough to read in one sitting.

Every module of this package declares `ItemType`s at its top level; all of them are found here, so that adding a type
is one declaration and no edit elsewhere.
"""

import pkgutil
from importlib import import_module

from models.item_type import ItemType

ITEM_TYPES: dict[str, ItemType] = {
    found.name: found
    for module in pkgutil.iter_modules(__path__)
    for found in vars(import_module(f"{__name__}.{module.name}")).values()
    if isinstance(found, ItemType)
}
"""All declared item types by the word in `type`."""
