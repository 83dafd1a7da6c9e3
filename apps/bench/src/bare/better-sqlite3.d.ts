/** The part of better-sqlite3 that the bare pipeline uses. */
declare module "better-sqlite3" {
  interface Statement {
    run(...params: ReadonlyArray<unknown>): unknown
  }
  class Database {
    constructor(filename: string)
    pragma(source: string): unknown
    exec(source: string): unknown
    prepare(source: string): Statement
  }
  export default Database
}
