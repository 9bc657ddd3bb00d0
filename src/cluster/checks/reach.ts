/** Does the node reach the servers that it would fetch from? Each node is asked for itself: proxies and routes differ. */
import type { NodeFacts } from '../facts/types.ts';
import { indexesOf } from '../facts/arguments.ts';
import { type Judgement, type NodeCheck, blocked, classOf, list, pass, warn } from './check.ts';
import { hasEnvironment, hasModel } from './wanted.ts';

export const indexReachable: NodeCheck = {
  name: 'index-reachable',
  title: 'The package indexes answer from the node',
  scope: 'node',
  judge: (input) => {
    const { spec, facts } = input;
    const hardware = classOf(input);
    const urls = indexesOf(spec, hardware);
    if (urls.length === 0) return pass('the environment was built by hand; no index is needed');
    return judgeAll(facts, urls, {
      isNeeded: !hasEnvironment(spec, input),
      thing: 'index',
      field: `environments.${hardware}.index`,
    });
  },
};

export const hubReachable: NodeCheck = {
  name: 'hub-reachable',
  title: 'The model hub answers from the node',
  scope: 'node',
  judge: ({ spec, facts }) => {
    if ('path' in spec.model) return pass('the model is given by path; no hub is needed');
    return judgeAll(facts, [spec.model.endpoint], {
      isNeeded: !hasModel(spec, facts),
      thing: 'hub',
      field: 'model.endpoint',
    });
  },
};

interface Wish {
  readonly isNeeded: boolean;
  readonly thing: string;
  readonly field: string;
}

function judgeAll(facts: NodeFacts, urls: readonly string[], wish: Wish): Judgement | Judgement[] {
  const problems = urls.flatMap((url) => {
    const found = facts.reach.find((each) => each.url === url);
    const judged = judgeOne(url, found, wish);
    return judged ? [judged] : [];
  });
  return problems.length === 0 ? pass(`${list(urls)} ${urls.length === 1 ? 'answers' : 'answer'}`) : problems;
}

function judgeOne(url: string, found: NodeFacts['reach'][number] | undefined, wish: Wish): Judgement | null {
  if (found?.reachable === true) return null;
  const look = `curl -I ${url}`;
  if (found?.reachable !== false) {
    return warn(
      `whether the ${wish.thing} ${url} answers is not known: ${found?.reason ?? 'it was not asked'}`,
      look,
    );
  }
  const sentence = `the ${wish.thing} ${url} does not answer: ${found.reason ?? 'no reason given'}`;
  return wish.isNeeded
    ? // A server or a line that is away comes back without another file; a wrong address is the rarer cause.
      blocked(sentence, `Look from there: ${look}; or set ${wish.field}.`)
    : warn(`${sentence}; what it would give is there already`, `Look from there: ${look}`);
}
