"""Printed reports in HTML, RTF and PDF with tables, listings and figures; the package of all results."""
