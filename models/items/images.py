"""Images that the API made."""

from models.item_type import ItemType
from models.parts import COMPLETED, FAILED, IN_PROGRESS
from models.shape import integer, nested, payload, text, texts

IMAGE_GENERATION_CALL = ItemType(
    "image_generation_call",
    "An image that the API made, or tried to make.",
    (
        text("action", "What was to be done.", "generate", "edit", "auto"),
        text("revised_prompt", "The prompt that the image was made from."),
        payload("result", "The image, base64."),
        text("output_format", "File format of the image.", "png", "webp", "jpeg", "gif", "svg"),
        text("size", "Width and height in pixels, as in 1024x1024."),
        text("quality", "Quality that was asked for.", "low", "medium", "high", "xhigh", "max", "auto"),
        text("background", "Background that was asked for.", "transparent", "opaque", "auto"),
        nested(
            "error",
            "Why there is no image.",
            text("type", "Kind of error."),
            text("code", "Code of the error."),
            text("message", "The error in words."),
            text("param", "The parameter that is at fault."),
            nested(
                "moderation_details",
                "What moderation found.",
                texts("categories", "Categories that moderation found."),
                text("moderation_stage", "What was moderated.", "input", "output", "unknown"),
            ),
        ),
        nested(
            "svg_usage",
            "What making an SVG took.",
            text("model", "Model that made the SVG."),
            integer("input_tokens", "Tokens that went in."),
            integer("output_tokens", "Tokens that came out."),
            integer("reasoning_tokens", "Tokens spent on reasoning."),
            integer("total_tokens", "Tokens in all."),
        ),
    ),
    (IN_PROGRESS, COMPLETED, "generating", FAILED),
)
