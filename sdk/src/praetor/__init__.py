"""Tells Praetor what AI agents do; see docs/sdk.md."""

from praetor.aio import AsyncPraetor
from praetor.client import Praetor
from praetor.errors import BufferFull, Closed, PraetorError, TransportMissing
from praetor.governed import governed
from praetor.report import AgentReport, Report
from praetor.security import Security
from praetor.texts import Redaction

__all__ = [
    "AgentReport",
    "AsyncPraetor",
    "BufferFull",
    "Closed",
    "Praetor",
    "PraetorError",
    "Redaction",
    "Report",
    "Security",
    "TransportMissing",
    "governed",
]
