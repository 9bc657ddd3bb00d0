/** One file of what is placed on a node. */
export interface PayloadFile {
  /** Relative to the folder of this version on the node. */
  readonly path: string;
  /** The file on this machine that is sent. */
  readonly source: string;
  /** The source is gzip, and what shall lie there is its content. */
  readonly isGzip: boolean;
  /** Of the content as it shall lie there. */
  readonly sha256: string;
  readonly size: number;
  readonly mode: number;
}
