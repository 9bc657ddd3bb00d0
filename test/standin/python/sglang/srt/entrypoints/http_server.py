"""The HTTP server: health that generates, information, generation, and the key that guards most of it."""

import asyncio
import contextlib
import logging
import os
import threading
import time
import uuid

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from ... import __version__
from .. import controls
from ..server_status import Status
from .openai_api import make_router

logger = logging.getLogger(__name__)

OPEN_PATHS = ("/health", "/ready", "/metrics")


def make_app(manager, infos, config, status, on_start, on_stop):
    """The application; `on_start()` runs when it starts, `on_stop()` is awaited when uvicorn wants it to end."""

    @contextlib.asynccontextmanager
    async def lifespan(_app):
        loop = asyncio.get_running_loop()
        threading.Thread(target=manager.listen, args=(loop,), daemon=True).start()
        logger.info("Using fallback token IDs for yes/no (9693/2152)")
        on_start()
        yield
        await on_stop()

    app = FastAPI(lifespan=lifespan)
    _guard(app, manager.args.api_key)
    _add_health(app, manager, status)
    _add_information(app, manager, infos, config)
    _add_generate(app, manager)
    app.include_router(make_router(manager))
    return app


def _guard(app, key):
    @app.middleware("http")
    async def check_key(request: Request, call_next):
        asked = request.url.path
        if key and request.method != "OPTIONS" and not asked.startswith(OPEN_PATHS):
            given = request.headers.get("authorization") or f"Bearer {request.headers.get('x-api-key')}"
            if given != f"Bearer {key}":
                return JSONResponse({"error": "Unauthorized"}, status_code=401)
        return await call_next(request)


def _add_health(app, manager, status):
    async def generate_one():
        if status.now is not Status.UP and not status.generating:
            return Response(status_code=503)
        began = time.time()
        task = asyncio.create_task(manager.complete(manager.tokenizer.encode("0"), max_new_tokens=1, ignore_eos=True))
        limit = float(os.environ.get("SGLANG_HEALTH_CHECK_TIMEOUT", 20))
        while time.time() < began + limit:
            await asyncio.sleep(1 / controls.speed())
            if manager.last_heard > began:
                task.cancel()
                return Response(status_code=200)
        task.cancel()
        logger.error(
            "Health check failed. Server couldn't get a response from detokenizer for last %d seconds. tic start"
            " time: %s. last_heartbeat time: %s",
            limit,
            time.strftime("%H:%M:%S", time.localtime(began)),
            time.strftime("%H:%M:%S", time.localtime(manager.last_heard)),
        )
        return Response(status_code=503)

    @app.get("/health")
    async def health():
        if os.environ.get("SGLANG_ENABLE_HEALTH_ENDPOINT_GENERATION", "true").lower() in ("0", "false"):
            return Response(status_code=200 if status.now is Status.UP else 503)
        return await generate_one()

    @app.get("/health_generate")
    async def health_generate():
        return await generate_one()


def _deprecated(old, new):
    logger.warning(
        "Endpoint '%s' is deprecated and will be removed in a future version. Please use '%s' instead.", old, new
    )


def _add_information(app, manager, infos, config):
    args = manager.args

    def model_info():
        return {
            "model_path": args.model_path,
            "tokenizer_path": args.tokenizer_path,
            "is_generation": True,
            "preferred_sampling_params": args.preferred_sampling_params,
            "weight_version": args.weight_version,
            "has_image_understanding": False,
            "has_audio_understanding": False,
            "model_type": config["model_type"],
            "architectures": config["architectures"],
        }

    def server_info():
        return {**vars(args), "status": "ready", **infos[0], "version": __version__}

    @app.get("/model_info")
    async def new_model_info():
        return model_info()

    @app.get("/get_model_info")
    async def old_model_info():
        _deprecated("/get_model_info", "/model_info")
        return model_info()

    @app.get("/server_info")
    async def new_server_info():
        return server_info()

    @app.get("/get_server_info")
    async def old_server_info():
        _deprecated("/get_server_info", "/server_info")
        return server_info()


def _add_generate(app, manager):
    @app.post("/generate")
    async def generate(request: Request):
        body = await request.json()
        sampling = body.get("sampling_params") or {}
        tokens = body.get("input_ids") or manager.tokenizer.encode(body.get("text") or "")
        began, size = time.time(), len(tokens)
        last = await manager.complete(
            tokens,
            max_new_tokens=sampling.get("max_new_tokens", 128),
            ignore_eos=bool(sampling.get("ignore_eos")),
            warmup=request.headers.get("x-standin-warmup") == "1",
        )
        reason = {"type": last["finished"]}
        about = {
            "id": uuid.uuid4().hex,
            "finish_reason": {**reason, "length": last["count"]} if last["finished"] == "length" else reason,
            "prompt_tokens": size,
            "weight_version": manager.args.weight_version,
            "completion_tokens": last["count"],
            "cached_tokens": 0,
            "e2e_latency": time.time() - began,
        }
        return {"text": last["text"], "meta_info": about}
