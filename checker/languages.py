"""The languages that posts are scored in, by ISO 639-1 code."""

from __future__ import annotations

NAMES = {
    "ar": "Arabic", "bg": "Bulgarian", "cs": "Czech", "de": "German", "el": "Greek", "en": "English",
    "es": "Spanish", "fa": "Persian", "fi": "Finnish", "fr": "French", "he": "Hebrew", "hi": "Hindi",
    "hu": "Hungarian", "it": "Italian", "ja": "Japanese", "ko": "Korean", "nl": "Dutch", "pl": "Polish",
    "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sv": "Swedish", "tr": "Turkish",
    "uk": "Ukrainian", "zh": "Chinese",
}  # fmt: skip

SUPPORTED = tuple(NAMES)
"""Codes of the languages that can be scored, in alphabetical order."""


def name(language: str) -> str:
    """English name of an ISO 639-1 code, or the code itself."""
    return NAMES.get(language, language)
