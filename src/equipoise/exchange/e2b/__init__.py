"""ICH E2B(R3): one serious adverse event of a trial as an individual case safety report, written and read.

Source: ICH E2B(R3) Implementation Guide; the message is HL7's ICSR (ISO/HL7 27953-2).
"""

from equipoise.exchange.e2b.parties import Receiver, Reporter, Sender
from equipoise.exchange.e2b.read import missing_elements, read_icsr
from equipoise.exchange.e2b.write import write_icsr

__all__ = ["Receiver", "Reporter", "Sender", "missing_elements", "read_icsr", "write_icsr"]
