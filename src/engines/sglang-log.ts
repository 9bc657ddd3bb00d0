/** What the lines of SGLang's log mean. They are hints for a display and for a person, never what a retry depends on. */
import type { Phase } from './engine.ts';

/** What a line says has begun, the most advanced first: a line is looked at until one fits. */
const phaseLines: readonly (readonly [Phase, RegExp])[] = [
  ['ready', /The server is fired up and ready to roll!/],
  ['warm-up', /"GET \/(?:get_)?model_info HTTP|\] (?:Prefill|Decode) batch[,.]/],
  ['listening', /Uvicorn running on /],
  ['kv-cache', /KV Cache is allocated|Memory pool end\.|max_total_num_tokens=/],
  ['weights', /Load weight begin\./],
  ['rendezvous', /Ray cluster \(auto PG\)|Init torch distributed begin/],
  ['placement', /server_args=ServerArgs\(|No placement group detected/],
  ['arguments', /'sglang serve' is the recommended entrypoint|Pipeline parallelism is incompatible with/],
];

/** The phase that this line says has begun; null for most lines. */
export function readPhase(line: string): Phase | null {
  return phaseLines.find(([, pattern]) => pattern.test(line))?.[0] ?? null;
}

/** Colours, the prefix of a Ray actor, and the time and rank that begin a line. */
const dressing =
  // eslint-disable-next-line no-control-regex -- colour codes begin with an escape character
  /\u001b\[[0-9;]*m|^\((?:\w+ )?pid=[^)]*\) ?|^\[\d{4}-\d\d-\d\d [\d:]+(?: [A-Z]+\d+)*\] ?|^\[rank\d+\]:/g;

const undress = (line: string): string => line.replaceAll(dressing, '').replaceAll(dressing, '').trim();

/** Lines that say why, in the words of the program that failed first. */
const telling: readonly RegExp[] = [
  /\berror: (?:argument |unrecognized arguments|ambiguous option|the following arguments)/,
  /^ERROR:\s+\[Errno/,
  /NCCL WARN /,
  /no kernel image is available/,
  /ptxas(?:-blackwell)? fatal/,
  /Not enough memory\. Please try to/,
  /out of memory/i,
  /No space left on device/,
  /[Ww]atchdog timeout/,
  /^(?:[A-Za-z_][\w.]*\.)?[A-Z]\w*(?:Error|Exception|Interrupt|Exit): /,
];

/** Lines that only say that something else died. */
const consequence =
  /sigquit|kill_process_tree|Subprocess \w+ \(pid=|Scheduler actor failed to initialize|scheduler actor terminated|Connection closed by|Initialization failed\.|ActorDiedError|RayActorError/i;

const longestLine = 300;
const mostLines = 3;

/** The few lines of a log's end that say why the engine ended, the earliest first; they are not yet escaped. */
export function explainExit(logTail: string, exitCode: number | null): string[] {
  const lines = logTail.split(/\r?\n|\r/).map(undress);
  const own = lines.filter((line) => line !== '' && !consequence.test(line));
  const found = own.filter((line) => telling.some((pattern) => pattern.test(line)));
  const evidence = [...new Set((found.length > 0 ? found : own.slice(-1)).map(translate))].slice(
    0,
    mostLines,
  );
  return [...evidence, ...killed(exitCode, found.length > 0)];
}

/** The engine blames the name of a repository when a local folder is not there. */
function translate(line: string): string {
  const folder = /Repo id must be in the form .*: '(\/[^']*)'/.exec(line)?.[1];
  const text = folder === undefined ? line : `the model folder ${folder} does not exist`;
  return text.length > longestLine ? `${text.slice(0, longestLine)}…` : text;
}

const killed = (exitCode: number | null, isExplained: boolean): string[] =>
  !isExplained && (exitCode === 137 || exitCode === -9)
    ? ['it was killed with SIGKILL, as the kernel does when memory runs out']
    : [];
