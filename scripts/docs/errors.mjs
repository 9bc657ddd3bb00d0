/** The table of errors as Markdown, from the code table. */

export function errorsPage(codes, exitCodes, note) {
  const exits = Object.fromEntries(Object.entries(exitCodes).map(([name, code]) => [code, name]));
  const retries = {
    never: 'no',
    person: 'when mended',
    few: 'a few times',
    act: 'the act',
    gang: 'the gang',
  };
  const lines = Object.entries(codes).map(([code, { retry, exitCode, summary, advice }]) => [
    `\`${code}\``,
    `${exitCode} ${words(exits[exitCode])}`,
    retries[retry] ?? retry,
    sentence(summary),
    sentence(advice),
  ]);
  return [
    '# Errors',
    note,
    'Every failure has one of these codes: in what the program prints, in its `--json` output, and as the type of the failure in Temporal. *Tried again*: **the act** is repeated by itself, or only **a few times**; **the gang** is stopped, proven gone and started as a whole; **when mended** means that a person mends it on the machine: a bring-up waits for that, and then does the act again; **no** means that another cluster file, program or command is needed first. That is said of runs: before there is one, only a connection is tried again, for up to 25 seconds; and a bring-up waits for checks that failed for what a person can mend, under the code `CHECKS_FAILED`.',
    [['Code', 'Exit', 'Tried again', 'What happened', 'What to do'], Array(5).fill('---'), ...lines]
      .map((cells) => `| ${cells.join(' | ')} |`)
      .join('\n'),
    '## Exit codes',
    [['Code', 'Meaning'], ['---', '---'], ...Object.entries(exits).map(([code, name]) => [code, words(name)])]
      .map((cells) => `| ${cells.join(' | ')} |`)
      .join('\n'),
  ].join('\n\n');
}

const words = (name) => name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

/** A sentence of the table with the names of its values in the place of the values. */
function sentence(make) {
  const names = new Proxy({}, { get: (_, name) => `‹${String(name)}›` });
  return make(names).replaceAll('|', '\\|').replaceAll('<', '\\<').replaceAll('\n', ' ');
}
