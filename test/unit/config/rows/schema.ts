/** Values of the wrong form, keys that nobody knows. */
import type { Row } from './given.ts';
import { serving, twoNodes } from './given.ts';

const portRule = 'a port must be a whole number from 1 to 65535, not';

// One row, one line.
// prettier-ignore
export const rows: readonly Row[] = [
  ['X16 a misspelt section', { model: 'modle: { id: owner/name }' }, 'modle', 'modle', 'unknown key modle; did you mean model?'],
  ['X16 a misspelt key of a node', twoNodes('{ name: spark-2, adress: 10.0.0.22 }'), 'adress', 'nodes[1].adress', 'did you mean address?'],
  ['X16 a misspelt key of a model', { model: 'model: { id: owner/name, revison: main }' }, 'revison', 'model.revison', 'did you mean revision?'],
  ['X16 a misspelt class', { more: 'environments: { sprak: {} }' }, 'sprak', 'environments.sprak', 'did you mean spark?'],
  ['X13 __proto__ as a key', { more: '__proto__: { polluted: 1 }' }, '__proto__', '__proto__', 'unknown key __proto__'],
  ['X13 constructor as a key', { more: 'constructor: 1' }, 'constructor', 'constructor', 'unknown key constructor'],
  ['X13 toString as a key', { more: 'toString: 1' }, 'toString', 'toString', 'unknown key toString'],
  ['X13 __proto__ deeper', { model: 'model: { id: owner/name, __proto__: 1 }' }, '__proto__', 'model.__proto__', 'unknown key __proto__'],
  ['X13 __proto__ as a class', { more: 'environments: { __proto__: {} }' }, '__proto__', 'environments.__proto__', 'unknown key __proto__'],
  ['X17 a port in quotes', serving('port: "22"'), 'port', 'serving.port', `${portRule} "22"`],
  ['X17 a port with a fraction', serving('port: 22.5'), 'port', 'serving.port', `${portRule} 22.5`],
  ['X17 a port above all', serving('port: 70000'), 'port', 'serving.port', `${portRule} 70000`],
  ['X17 port zero', serving('port: 0'), 'port', 'serving.port', `${portRule} 0`],
  ['X17 a negative port', serving('port: -1'), 'port', 'serving.port', `${portRule} -1`],
  ['X17 a port with an exponent', serving('port: 1e3'), 'port', 'serving.port', `${portRule} 1e3`],
  ['X17 a hexadecimal port', serving('port: 0x16'), 'port', 'serving.port', `${portRule} 0x16`],
  ['X17 a port with a leading zero', serving('port: 05000'), 'port', 'serving.port', `${portRule} 05000`],
  ['X17 an endless port', serving('port: 99999999999999999999'), 'port', 'serving.port', `${portRule} 99999999999999999999`],
  ['X17 a port that is nothing', serving('port: ~'), 'port', 'serving.port', 'from 1 to 65535; nothing is given'],
  ['X18 a version without quotes', { engine: 'engine: { name: sglang, version: 1.10 }' }, 'version', 'engine.version', 'must be a quoted string: "1.10" (YAML reads 1.10 as 1.1)'],
  ['X18 a Python without quotes', { more: 'environments: { spark: { python: 3.10 } }' }, 'python', 'environments.spark.python', '"3.10" (YAML reads 3.10 as 3.1)'],
  ['X20 schemaVersion 2', { schemaVersion: 'schemaVersion: 2' }, 'schemaVersion', 'schemaVersion', 'this program reads schemaVersion 1'],
  ['X20 no schemaVersion', { schemaVersion: '' }, 'name: demo', '', 'this program reads schemaVersion 1'],
  ['X22 no head', { head: '' }, 'schemaVersion', '', 'head is missing: Name of the node that has rank 0'],
  ['X22 two heads', { head: 'head: [spark-1, spark-2]' }, 'head', 'head', 'must be one name'],
  ['X22 a head that is no node', { head: 'head: spark-9' }, 'head', 'head', 'spark-9 is none of them (spark-1, spark-2)'],
  ['no nodes at all', { nodes: 'nodes: []', head: 'head: a' }, 'nodes', 'nodes', 'needs at least one node'],
  ['nodes that are no list', { nodes: 'nodes: { a: 1 }' }, 'nodes', 'nodes', 'must be a list of nodes'],
  ['a node that is a word', twoNodes('spark-2'), '- spark-2', 'nodes[1]', 'must be a mapping'],
  ['a file that is a list', { schemaVersion: '- a', name: '', head: '', nodes: '', model: '', engine: '', parallel: '' }, '- a', '', 'must be a mapping'],
  ['a model with both forms', { model: 'model: { id: owner/name, path: /models/a }' }, 'model', 'model', 'must have either id (and revision) or path'],
  ['a model that is a word', { model: 'model: owner/name' }, 'model', 'model', 'must have either id (and revision) or path'],
  ['an environment of both kinds', { more: 'environments: { spark: { path: /venv, python: "3.12" } }' }, 'environments', 'environments.spark', 'must be either path'],
  ['a switch that is a word', serving('cudaGraphs: no'), 'cudaGraphs', 'serving.cudaGraphs', 'must be true or false, not "no"'],
  ['a fraction of one', serving('memoryFraction: 1'), 'memoryFraction', 'serving.memoryFraction', 'must be a number above 0 and below 1, not 1'],
  ['a fraction that is not a number', serving('memoryFraction: .nan'), 'memoryFraction', 'serving.memoryFraction', 'must be a number above 0 and below 1, not .nan'],
];
