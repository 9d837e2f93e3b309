"""Medical coding: dictionaries, and what the terms of the sites are called in them."""
