/**
 * Names of SGLang's options, without their dashes, by how they are given: the 0.5.2x line, with the names of earlier
 * releases that it still takes. Taken from what the program itself accepts; values are left to the engine.
 */
const words = (text: string): readonly string[] => text.trim().split(/\s+/);

export const sglangOptionNames = {
  /** Given alone. */
  flag: words(`
    trust-remote-code is-embedding enable-multimodal skip-tokenizer-init quantize-and-serve
    enable-fp32-lm-head enable-tf32-matmul enable-dynamic-chunking enable-priority-scheduling
    disable-priority-preemption abort-on-priority-when-disabled schedule-low-priority-values-first
    disable-hybrid-swa-memory prefill-only-disable-kv-cache disable-radix-cache enable-page-major-kv-layout
    enable-unified-memory enable-session-radix-cache disable-chunked-prefix-cache disable-overlap-schedule
    enable-mixed-chunk enable-prefill-cp enable-dsa-cache-layer-split enable-cp-decode-attn-tp
    dcp-replicate-q-proj no-dcp-replicate-q-proj enable-dp-attention
    enable-dp-attention-local-control-broadcast enable-dp-lm-head enable-tp-lm-head-all-to-all
    no-enable-tp-lm-head-all-to-all enable-attn-tp-input-scattered enable-shared-experts-attn-tp
    enable-dense-mlp-attn-tp enable-layernorm-sp disable-attn-tp-gather enable-p2p-check mlx-enable-sampling
    sleep-on-idle use-ray smg-grpc-mode grpc-mode skip-server-warmup enable-http2 enable-ssl-refresh
    trust-request-chat-template enable-cache-report return-input-ids return-output-ids strip-thinking-cache
    enable-strict-thinking allow-auto-truncate stream-response-default-include-usage
    incremental-streaming-output stream-output enable-streaming-session enable-response-store log-requests
    show-time-cost enable-metrics enable-mfu-metrics enable-metrics-for-all-schedulers
    enable-request-time-stats-logging enable-forward-pass-metrics enable-trace export-metrics-to-file
    constrained-json-disable-any-whitespace enable-lean-attention disable-flashinfer-autotune
    disable-prefill-cuda-graph disable-decode-cuda-graph disable-cuda-graph disable-cuda-graph-padding
    enable-profile-cuda-graph enable-cudagraph-gc debug-cuda-graph enable-layerwise-nvtx-marker
    enable-nccl-nvls enable-symm-mem triton-attention-reduce-in-fp32 flashinfer-mla-disable-ragged
    enable-fused-qk-norm-rope enable-precise-embedding-interpolation enable-fused-moe-sum-all-reduce
    enable-deepseek-v4-fp4-indexer enable-dsa-fused-indexer no-enable-dsa-fused-indexer
    disable-custom-all-reduce enable-mscclpp enable-torch-symm-mem enable-scattered-sconv pre-warm-nccl
    enable-quant-communications enable-flashinfer-allreduce-fusion enforce-disable-flashinfer-allreduce-fusion
    enable-aiter-allreduce-fusion enable-torch-compile enable-torch-compile-debug-mode
    speculative-dspark-align-verify-tokens-to-graph-tier speculative-use-rejection-sampling
    speculative-use-block-verification speculative-skip-dp-mlp-sync enable-multi-layer-eagle
    speculative-adaptive enable-w4a4-mxfp4-megamoe enable-eplb enable-elastic-expert-backup enable-waterfill
    disable-flashinfer-cutlass-moe-fp4-allgather disable-shared-experts-fusion enforce-shared-experts-fusion
    enable-mamba-cache-stochastic-rounding enable-int8-mamba-checkpoint enable-linear-replayssm
    enable-linear-replayssm-spec enable-hierarchical-cache enable-unified-cache-external-linker
    mooncake-store-contributor mooncake-enable-page-wise-load enable-linker-mla-dedup enable-hisparse
    enable-broadcast-mm-inputs-process enable-prefix-mm-cache mm-enable-dp-encoder trust-mm-content-hashes
    enable-mm-global-cache disable-fast-image-processor keep-mm-feature-on-device enable-lora
    enable-lora-overlap-loading experts-shared-outer-loras no-experts-shared-outer-loras
    lora-use-virtual-experts lora-strict-loading no-lora-strict-loading enable-two-batch-overlap
    enable-single-batch-overlap enable-lmcache enable-flexkv dllm-fdfo
    disaggregation-decode-enable-radix-cache disaggregation-decode-enable-offload-kvcache
    disaggregation-enable-kv-checksum enable-pd-role-switch encoder-only language-only language-model-only
    enable-adaptive-dispatch-to-encoder enable-pdmux weight-loader-disable-mmap
    weight-loader-prefetch-checkpoints remote-instance-weight-loader-start-seed-via-transfer-engine
    delete-ckpt-after-loading checkpoint-engine-wait-weights-before-ready enable-prefill-delayer
    enable-deterministic-inference enable-dynamic-batch-tokenizer enable-tokenizer-batch-encode
    disable-tokenizer-batch-decode enable-memory-saver enable-weights-cpu-backup
    enable-draft-weights-cpu-backup enable-custom-logit-processor enable-return-hidden-states
    enable-return-routed-experts enable-return-indexer-topk disable-outlines-disk-cache enable-mis
    ple-offload-embedding enable-encoder-swa-bounded-replay enable-decoder-swa-bounded-replay
  `),
  /** One value follows. */
  value: words(`
    model-path model tokenizer-path tokenizer-mode tokenizer-backend tokenizer-worker-num
    detokenizer-worker-num load-format model-loader-extra-config context-length revision model-impl
    model-config-parser json-model-override-args dtype quantization quantization-param-path kv-cache-dtype
    modelopt-quant modelopt-checkpoint-restore-path modelopt-checkpoint-save-path modelopt-export-path
    rl-quant-profile mem-fraction-static max-running-requests max-queued-requests
    max-inflight-prefill-tokens max-total-tokens chunked-prefill-size prefill-decode-interval
    max-prefill-tokens prefill-max-requests schedule-policy default-priority-value
    priority-scheduling-preemption-threshold retraction-policy schedule-conservativeness page-size
    c128-page-size swa-full-tokens-ratio hybrid-kvcache-ratio radix-eviction-policy
    radix-eviction-policy-config radix-cache-backend num-continuous-decode-steps scheduler-recv-interval
    nccl-port dist-timeout dist-init-addr nccl-init-addr gated-launch-port nnodes node-rank tp-size
    tensor-parallel-size dcp-size decode-context-parallel-size pp-size pipeline-parallel-size
    pp-max-micro-batch-size pp-async-batch-depth dp-size data-parallel-size load-balance-method attn-cp-size
    attention-context-parallel-size moe-dp-size moe-data-parallel-size dwdp-size dcp-comm-backend cp-strategy
    shared-experts-tp-size device base-gpu-id gpu-id-step random-seed watchdog-timeout soft-watchdog-timeout
    host port fastapi-root-path grpc-port grpc-response-timeout-secs sidecar sidecar-args warmups
    http2-max-concurrent-streams http2-initial-connection-window-size ssl-keyfile ssl-certfile ssl-ca-certs
    ssl-keyfile-password api-key admin-api-key served-model-name weight-version chat-template
    hf-chat-template-name completion-template file-storage-path reasoning-parser default-chat-template-kwargs
    tool-call-parser tool-server sampling-defaults asr-max-buffer-seconds asr-max-concurrent-sessions
    preferred-sampling-params stream-interval batch-notify-size padded-output-tokens log-level log-level-http
    log-requests-level log-requests-format crash-dump-folder smg-http-sidecar-port grpc-http-sidecar-port
    load-snapshot-publish-interval tokenizer-metrics-custom-labels-header extra-metric-labels
    gc-warning-threshold-secs decode-log-interval kv-events-config load-publish-endpoint
    forward-pass-metrics-worker-id forward-pass-metrics-ipc-name trace-modules otlp-traces-endpoint
    otlp-service-name export-metrics-to-file-dir constrained-json-whitespace-pattern
    constrained-json-max-whitespace-cnt attention-backend decode-attention-backend prefill-attention-backend
    prefill-kv-cache-dequant-dtype sampling-backend grammar-backend mm-attention-backend fp8-gemm-backend
    fp4-gemm-backend bf16-gemm-backend dsa-prefill-backend dsv4-prefill-backend dsa-triton-union
    dsa-decode-backend dsv4-attn-backend dsa-paged-mqa-logits-backend dsa-topk-backend nsa-prefill-backend
    nsa-decode-backend mamba-backend cuda-graph-config cuda-graph-backend-decode cuda-graph-backend-prefill
    cuda-graph-max-bs cuda-graph-max-bs-decode cuda-graph-max-bs-prefill cuda-graph-prefill-max-context
    cuda-graph-max-seq-len-prefill cuda-graph-tc-compiler triton-attention-num-kv-splits
    triton-attention-split-tile-size boundary-reduction flashinfer-allreduce-fusion-backend
    torch-compile-max-bs torchao-config speculative-algorithm uno-lora-path speculative-draft-model-path
    speculative-draft-model speculative-draft-model-revision speculative-draft-load-format
    speculative-num-steps speculative-eagle-topk speculative-num-draft-tokens speculative-dflash-block-size
    speculative-domino-candidate-pool-size speculative-dspark-block-size speculative-dspark-sps-table-path
    speculative-dspark-confidence-sts-path speculative-accept-threshold-single
    speculative-accept-threshold-acc speculative-token-map speculative-attention-mode
    speculative-draft-attention-backend speculative-dsa-topk-backend speculative-draft-kv-cache-dtype
    speculative-draft-window-size speculative-draft-sink-size speculative-moe-runner-backend
    speculative-moe-a2a-backend speculative-draft-model-quantization speculative-adaptive-config
    decoupled-spec-bind-endpoint decoupled-spec-connect-endpoints decoupled-spec-rank decoupled-spec-role
    spec-trace-dir speculative-ngram-min-bfs-breadth speculative-ngram-max-bfs-breadth
    speculative-ngram-match-type speculative-ngram-max-trie-depth speculative-ngram-capacity
    speculative-ngram-external-corpus-path speculative-ngram-external-sam-budget
    speculative-ngram-external-corpus-max-tokens ep-size expert-parallel-size ep moe-a2a-backend
    deepep-v2-mode moe-runner-backend moe-lora-base-gemm flashinfer-mxfp4-moe-precision
    flashinfer-a2a-dispatch-type deepep-mode fuseep-mode deepep-dispatcher-output-dtype
    ep-num-redundant-experts ep-dispatch-algorithm init-expert-location eplb-algorithm
    eplb-rebalance-num-iterations eplb-rebalance-layers-per-chunk eplb-min-rebalancing-utilization-threshold
    expert-distribution-recorder-mode expert-distribution-recorder-buffer-size
    expert-balancedness-report-mode deepep-config moe-dense-tp-size elastic-ep-backend mooncake-ib-device
    elastic-ep-join-mode elastic-ep-join-rank-offset elastic-ep-initial-size max-ep-size
    elastic-ep-scale-timeout max-mamba-cache-size mamba-ssm-dtype mamba-max-states-per-path
    mamba-cache-philox-rounds mamba-full-memory-ratio mamba-radix-cache-strategy mamba-track-interval
    int8-mamba-ckpt-size linear-attn-backend linear-attn-decode-backend linear-attn-prefill-backend
    linear-attn-verify-backend linear-replayssm-cache-len hicache-host-memory-mode
    hicache-host-memory-fraction hicache-ratio hicache-size hicache-write-policy hicache-io-backend
    hicache-mem-layout hicache-storage-backend hicache-storage-prefetch-policy
    hicache-storage-backend-extra-config hicache-storage-prefetch-retry-poll-interval
    hicache-storage-prefetch-retry-max-attempts unified-cache-external-linker-backend
    mooncake-page-wise-load-threshold hisparse-config hierarchical-sparse-attention-extra-config
    mm-process-config mm-processor-worker-num mm-io-worker-num media-url-max-file-size-mb
    mm-preprocess-cache-size-mb limit-mm-data-per-request image-processor-backend mm-global-cache-backend
    mm-feature-transport max-lora-rank max-loaded-loras max-loras-per-batch lora-eviction-policy lora-backend
    max-lora-chunk-size lora-drain-wait-threshold tbo-token-distribution-threshold cpu-offload-gb
    offload-group-size offload-num-in-group offload-prefetch-step offload-mode lmcache-config-file
    flexkv-config-file kt-weight-path kt-method kt-cpuinfer kt-threadpool-count kt-num-gpu-experts
    kt-max-deferred-experts-per-token dllm-algorithm dllm-algorithm-config disaggregation-mode
    disaggregation-transfer-backend disaggregation-bootstrap-port disaggregation-ib-device
    disaggregation-decode-retraction-backup disaggregation-decode-extra-slots
    disaggregation-decode-polling-interval disaggregation-decode-host-receive-threshold
    num-reserved-decode-tokens optimistic-prefill-attempts encoder-transfer-backend encoder-bootstrap-port
    pdmux-config-path sm-group-num startup-weight-load-mode weight-loader-prefetch-num-threads
    weight-loader-drop-cache-after-load remote-instance-weight-loader-seed-instance-ip
    remote-instance-weight-loader-seed-instance-service-port
    remote-instance-weight-loader-send-weights-group-ports remote-instance-weight-loader-backend
    engine-info-bootstrap-port modelexpress-config download-dir model-checksum decrypted-config-file
    decrypted-draft-config-file prefill-delayer-max-delay-passes prefill-delayer-token-usage-low-watermark
    prefill-delayer-queue-min-ratio prefill-delayer-max-delay-ms min-free-slots-delay rl-on-policy-target
    kv-canary kv-canary-real-data kv-canary-sweep-interval dynamic-batch-tokenizer-batch-size
    dynamic-batch-tokenizer-batch-timeout debug-tensor-dump-output-folder debug-tensor-dump-input-file
    return-hidden-states-mode sampling-mask-max-tokens weight-cache-mode weight-cache-socket
    weight-cache-timeout forward-hooks msprobe-dump-config ple-offload-backend ple-offload-dir config
  `),
  /** One or more values follow. */
  list: words(`
    numa-node gc-threshold log-requests-target uvicorn-access-log-exclude-prefixes
    tokenizer-metrics-allowed-custom-labels bucket-time-to-first-token bucket-inter-token-latency
    bucket-e2e-request-latency bucket-decode-throughput prompt-tokens-buckets generation-tokens-buckets
    flashinfer-autotune-skip-ops cuda-graph-bs cuda-graph-bs-decode cuda-graph-bs-prefill
    allowed-media-domains lora-target-modules lora-paths encoder-urls encoder-register-urls
    custom-weight-loader prefill-delayer-forward-passes-buckets prefill-delayer-wait-seconds-buckets
    debug-tensor-dump-layers swa-prefix-tails
  `),
} as const;
