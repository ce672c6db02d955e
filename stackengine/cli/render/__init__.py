"""Renderers: plain data in, text out. They know neither services nor terminals, so golden files can hold them."""
