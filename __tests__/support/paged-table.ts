import { startServer } from './loopback-server';

/** The form in which the response of a list names the next page. */
export type Paging = 'cursor' | 'pages';

export interface PagedTable {
  readonly url: string;
  /** The queries of the requests so far. */
  readonly queries: Record<string, string>[];
}

/** Starts an API with one table of custom data, which is listed in pages. Its filters compare strings. */
export async function startPagedTable(paging: Paging, records: readonly object[]): Promise<PagedTable> {
  const queries: Record<string, string>[] = [];
  const { url } = await startServer((req, res) => {
    const query = Object.fromEntries(new URL(req.url!, 'http://fake').searchParams);
    queries.push(query);
    const filters = Object.entries(JSON.parse(query['filters'] ?? '{}') as Record<string, string>);
    const found = records.filter((record) => filters.every(([name, value]) => Reflect.get(record, name) === value));
    const size = Number(query['limit'] ?? 50);
    const page = Number(query['page'] ?? 1);
    const start = paging === 'cursor' ? Number(query['cursor'] ?? 0) : (page - 1) * size;
    const end = start + size;
    const fields = {
      cursor: end < found.length ? { next_cursor: String(end) } : {},
      pages: { pagination: { page, per_page: size, total_pages: Math.ceil(found.length / size) } },
    };
    res.setHeader('Content-Type', 'application/json');
    res.end(JSON.stringify({ data: found.slice(start, end), ...fields[paging] }));
  });
  return { url, queries };
}
