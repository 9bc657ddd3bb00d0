"""The OpenAI-like endpoints: models, chat and text completions, streamed or whole."""

import json
import time
import uuid

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, StreamingResponse

from .. import controls
from ..model.tokenizer import chat_prompt


def _error(message):
    body = {"object": "error", "message": message, "type": "BadRequestError", "param": None, "code": 400}
    return JSONResponse(body, status_code=400)


def _usage(prompt, made):
    return {
        "prompt_tokens": prompt,
        "total_tokens": prompt + made,
        "completion_tokens": made,
        "prompt_tokens_details": None,
        "reasoning_tokens": 0,
    }


class _Chat:
    """Shapes of a chat completion."""

    object, chunk = "chat.completion", "chat.completion.chunk"

    @staticmethod
    def whole(text, reason):
        message = {"role": "assistant", "content": text, "reasoning_content": None, "tool_calls": None}
        return {"index": 0, "message": message, "logprobs": None, "finish_reason": reason, "matched_stop": None}

    @staticmethod
    def part(text, reason, first=False):
        delta = {"role": "assistant", "content": ""} if first else {"role": None, "content": text}
        return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason, "matched_stop": None}


class _Text:
    """Shapes of a text completion."""

    object = chunk = "text_completion"

    @staticmethod
    def whole(text, reason):
        return {"index": 0, "text": text, "logprobs": None, "finish_reason": reason, "matched_stop": None}

    @staticmethod
    def part(text, reason, first=False):
        return {"index": 0, "text": text, "logprobs": None, "finish_reason": reason, "matched_stop": None}


def make_router(manager):
    """The endpoints over one tokenizer manager."""
    router = APIRouter()
    args = manager.args

    @router.get("/v1/models")
    async def models():
        name = args.served_model_name
        card = {
            "id": name,
            "object": "model",
            "created": int(time.time()),
            "owned_by": "sglang",
            "root": name,
            "parent": None,
            "max_model_len": args.context_length,
        }
        return {"object": "list", "data": [card]}

    @router.post("/v1/chat/completions")
    async def chat(request: Request):
        body = await request.json()
        messages = body.get("messages")
        if not isinstance(messages, list) or not messages:
            return _error("Messages cannot be empty.")
        return await _answer(manager, body, chat_prompt(messages), _Chat)

    @router.post("/v1/completions")
    async def completions(request: Request):
        body = await request.json()
        prompt = body.get("prompt")
        if not isinstance(prompt, str) or not prompt:
            return _error("Prompt cannot be empty.")
        return await _answer(manager, body, prompt, _Text)

    return router


async def _answer(manager, body, prompt, shape):
    tokens = manager.tokenizer.encode(prompt)
    if len(tokens) >= manager.args.context_length:
        return _error(
            f"The input ({len(tokens)} tokens) is longer than the model's context length"
            f" ({manager.args.context_length} tokens)."
        )
    default = 16 if shape is _Text else None
    options = {
        "max_new_tokens": body.get("max_completion_tokens") or body.get("max_tokens") or default,
        "ignore_eos": bool(body.get("ignore_eos")),
    }
    # A wrong model name is answered all the same, and echoed: so does the real server.
    head = {"id": uuid.uuid4().hex, "created": int(time.time()), "model": body.get("model", manager.args.served_model_name)}
    prompt_size = len(tokens)
    if body.get("stream"):
        wants_usage = bool((body.get("stream_options") or {}).get("include_usage"))
        chunks = _chunks(manager, tokens, options, head, shape, wants_usage)
        return StreamingResponse(chunks, media_type="text/event-stream")
    last = await manager.complete(tokens, **options)
    if controls.answers_nothing():
        last = {**last, "text": ""}
    usage = _usage(prompt_size, last["count"])
    choices = [shape.whole(last["text"], last["finished"])]
    return {**head, "object": shape.object, "choices": choices, "usage": usage, "metadata": {"weight_version": "default"}}


async def _chunks(manager, tokens, options, head, shape, wants_usage):
    def event(choices, usage=None):
        chunk = {**head, "object": shape.chunk, "choices": choices, "usage": usage}
        return f"data: {json.dumps(chunk)}\n\n"

    size, sent, count = len(tokens), "", 0
    if shape is _Chat:
        yield event([shape.part("", None, first=True)])
    async for piece in manager.generate(tokens, **options):
        text, reason, count = piece["text"], piece["finished"], piece["count"]
        fresh = text[len(sent) :] if text.startswith(sent) else ""
        if fresh and not fresh.endswith("\ufffd"):
            sent = text
            yield event([shape.part(fresh, None)])
        if reason:
            yield event([shape.part("", reason)])
    if wants_usage:
        yield event([], _usage(size, count))
    yield "data: [DONE]\n\n"
