/**
 * The words of an SQL text: keywords and names, without literals, comments and parameters. Enough to see what a statement is
 * about before SQLite reads it.
 */

export interface Word {
  /** In capitals. */
  readonly text: string
  /** It stood in quotes, and is a name. */
  readonly quoted: boolean
}

const token =
  /--[^\n]*|\/\*[^]*?(?:\*\/|$)|'(?:[^']|'')*'|"((?:[^"]|"")*)"|`((?:[^`]|``)*)`|\[([^\]]*)\]|[?:@$#][\w$]*|([A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)/g

export const of = (sql: string): ReadonlyArray<Word> => {
  const words: Array<Word> = []
  for (const [, double, back, bracket, plain] of sql.matchAll(token)) {
    const quoted = double ?? back ?? bracket
    if (plain !== undefined) words.push({ text: plain.toUpperCase(), quoted: false })
    else if (quoted !== undefined) words.push({ text: quoted.toUpperCase(), quoted: true })
  }
  return words
}
