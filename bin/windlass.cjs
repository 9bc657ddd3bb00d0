#!/usr/bin/env node
// The door of the program, in old JavaScript: a Node.js that is too old must be able to read it and say so.
var version = process.versions.node.split('.').map(Number);
if (version[0] < 20 || (version[0] === 20 && version[1] < 19)) {
  process.stderr.write('windlass needs Node.js 20.19 or newer; this is ' + process.version + '\n');
  process.exit(2);
}
// A syntax error would come before the sentence above if this stood here as an import of its own.
import('../src/cli.js').catch(function (error) {
  process.stderr.write((error && error.stack ? error.stack : String(error)) + '\n');
  process.exit(1);
});
