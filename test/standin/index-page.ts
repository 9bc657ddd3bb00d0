// Pages of a simple index, read (PEP 691 JSON or PEP 503 HTML) and written in both forms.

/** One file of a project. */
export interface IndexFile {
  readonly filename: string;
  readonly url: string;
  readonly sha256?: string;
  readonly size?: number;
  readonly requiresPython?: string;
  readonly uploadTime?: string;
  readonly yanked?: boolean;
  /** Whether `<url>.metadata` is served, and its hash where it is known. */
  readonly metadata?: boolean | string;
}

interface JsonFile {
  readonly filename: string;
  readonly url: string;
  readonly hashes?: Record<string, string>;
  readonly size?: number;
  readonly 'requires-python'?: string | null;
  readonly 'upload-time'?: string;
  readonly yanked?: boolean | string;
  readonly 'core-metadata'?: boolean | Record<string, string>;
}

/** Parse a project page; relative URLs are resolved against `pageUrl`. */
export function parsePage(text: string, contentType: string, pageUrl: string): IndexFile[] {
  return contentType.includes('json') ? parseJson(text, pageUrl) : parseHtml(text, pageUrl);
}

function parseJson(text: string, pageUrl: string): IndexFile[] {
  const page = JSON.parse(text) as { files: JsonFile[] };
  return page.files.map((file) => {
    const about = file['core-metadata'];
    return compact({
      filename: file.filename,
      url: new URL(file.url, pageUrl).href,
      sha256: file.hashes?.['sha256'],
      size: file.size,
      requiresPython: file['requires-python'] ?? undefined,
      uploadTime: file['upload-time'],
      yanked: file.yanked !== undefined && file.yanked !== false,
      metadata: typeof about === 'object' ? (about['sha256'] ?? true) : about,
    });
  });
}

function parseHtml(text: string, pageUrl: string): IndexFile[] {
  return [...text.matchAll(/<a\b([^>]*)>([^<]*)<\/a>/gi)].map(([, attributes = '', name = '']) => {
    const url = new URL(attribute(attributes, 'href') ?? '', pageUrl);
    const [, sha256] = /sha256=([0-9a-f]{64})/.exec(url.hash) ?? [];
    url.hash = '';
    const about =
      attribute(attributes, 'data-core-metadata') ?? attribute(attributes, 'data-dist-info-metadata');
    return compact({
      filename: decodeEntities(name.trim()),
      url: url.href,
      sha256,
      requiresPython: attribute(attributes, 'data-requires-python'),
      yanked: attribute(attributes, 'data-yanked') !== undefined,
      metadata: about === undefined ? undefined : about.replace('sha256=', ''),
    });
  });
}

function attribute(attributes: string, name: string): string | undefined {
  const match = new RegExp(`(?:^|\\s)${name}(?:=(?:"([^"]*)"|'([^']*)'))?(?=\\s|$)`, 'i').exec(attributes);
  return match ? decodeEntities(match[1] ?? match[2] ?? '') : undefined;
}

function decodeEntities(text: string): string {
  const names: Record<string, string> = { gt: '>', lt: '<', quot: '"', '#39': "'", amp: '&' };
  return text.replaceAll(/&(gt|lt|quot|#39|amp);/g, (whole, name: string) => names[name] ?? whole);
}

function encodeEntities(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

type Loose<T> = { [K in keyof T]: T[K] | undefined };

function compact(file: Loose<IndexFile>): IndexFile {
  return Object.fromEntries(
    Object.entries(file).filter(([, value]) => value !== undefined),
  ) as unknown as IndexFile;
}

/** Write a project page as PEP 691 JSON. */
export function renderJson(project: string, files: readonly IndexFile[]): string {
  return JSON.stringify({
    meta: { 'api-version': '1.0' },
    name: project,
    files: files.map((file) => ({
      filename: file.filename,
      url: file.url,
      hashes: file.sha256 ? { sha256: file.sha256 } : {},
      ...(file.size !== undefined && { size: file.size }),
      ...(file.requiresPython && { 'requires-python': file.requiresPython }),
      ...(file.uploadTime && { 'upload-time': file.uploadTime }),
      ...(file.yanked && { yanked: true }),
      'core-metadata': metadataMark(file),
    })),
  });
}

function metadataMark({ metadata }: IndexFile): boolean | { sha256: string } {
  return typeof metadata === 'string' && /^[0-9a-f]{64}$/.test(metadata)
    ? { sha256: metadata }
    : Boolean(metadata);
}

/** Write a project page as PEP 503 HTML. */
export function renderHtml(project: string, files: readonly IndexFile[]): string {
  const links = files.map((file) => {
    const hash = file.sha256 ? `#sha256=${file.sha256}` : '';
    const needs = file.requiresPython ? ` data-requires-python="${encodeEntities(file.requiresPython)}"` : '';
    const yanked = file.yanked ? ' data-yanked=""' : '';
    const mark = metadataMark(file);
    const about =
      mark === false ? '' : ` data-core-metadata="${mark === true ? 'true' : `sha256=${mark.sha256}`}"`;
    return `<a href="${encodeEntities(file.url)}${hash}"${needs}${yanked}${about}>${encodeEntities(file.filename)}</a><br>`;
  });
  return `<!DOCTYPE html><html><head><title>${project}</title></head><body>\n${links.join('\n')}\n</body></html>\n`;
}
