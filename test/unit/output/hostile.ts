/** What a node, a model or a server could answer to make a terminal do something: title, text, how it is shown. */
export const hostile: readonly (readonly [what: string, text: string, shown: string])[] = [
  ['a sequence that clears the screen', 'a\u001B[2Jb', 'a\\u{1B}[2Jb'],
  ['one that writes the clipboard', '\u001B]52;c;cm0gLXJm\u0007', '\\u{1B}]52;c;cm0gLXJm\\u{7}'],
  ['one that begins with a C1 control', 'a\u009B31mb', 'a\\u{9B}31mb'],
  ['a carriage return that overwrites the line', 'bad\rgood', 'bad\\rgood'],
  ['a bell and a backspace', 'a\u0007\u0008', 'a\\u{7}\\u{8}'],
  ['a style that hides what follows', '\u001B[8mhidden', '\\u{1B}[8mhidden'],
  ['bidirectional marks', 'a\u202Ecba\u2066', 'a\\u{202E}cba\\u{2066}'],
  ['zero-width characters', 'win\u200Bd\uFEFF', 'win\\u{200B}d\\u{FEFF}'],
  ['DEL and NUL', '\u007F\u0000', '\\u{7F}\\0'],
];
