// Hands jobs over to a Headcount service, and fetches what they have found.
import { env } from "./env";
import type { CreatorPage, GuideRow, Problem, SearchAsk } from "./headcount";
import { type Job, UNTOLD, tell } from "./jobs";

const PAGE = 1000; // creators, the most that the service gives at once

/** The answer to QStash, once Headcount has the job. Doing it twice changes nothing:
 *  the job's own id is the idempotency key. */
export async function handOver(job: Job): Promise<Response> {
  if (job.toldAt !== UNTOLD) {
    return Response.json({ handedOver: true }); // the webhook has told of it already
  }
  const ask: SearchAsk = {
    platform: job.platform,
    keywords: job.keywords,
    targetResults: job.targetResults,
    campaign: job.id, // comes back with every webhook
    webhook: `${env("PUBLIC_URL")}/api/webhooks/headcount`,
  };
  tell(job.id, UNTOLD, { status: "processing" });
  const answer = await headcount("/api/jobs", {
    method: "POST",
    headers: { "Content-Type": "application/json", "Idempotency-Key": job.id },
    body: JSON.stringify(ask),
  });
  if (answer.ok) {
    return Response.json({ handedOver: true });
  }
  if (answer.status === 422) {
    const { detail } = (await answer.json()) as Problem;
    tell(job.id, UNTOLD, { status: "failed", error: detail });
    return never(detail);
  }
  console.error(`job ${job.id}: Headcount answered ${answer.status}`);
  return new Response(null, { status: 503, headers: { "Retry-After": "15" } });
}

/** What can never succeed: QStash tries it no more. */
export function never(error: string): Response {
  const headers = { "Upstash-NonRetryable-Error": "true" };
  return Response.json({ error }, { status: 489, headers });
}

/** All creators that a job of Headcount's has delivered, by ordinal. */
export async function creatorsOf(headcountId: string): Promise<GuideRow[]> {
  const creators: GuideRow[] = [];
  let cursor: string | null = "0";
  while (cursor !== null) {
    const query = `shape=guide&limit=${PAGE}&cursor=${cursor}`;
    const answer = await headcount(`/api/jobs/${headcountId}/creators?${query}`);
    if (!answer.ok) {
      throw new Error(`Headcount answered ${answer.status} for ${headcountId}`);
    }
    const page = (await answer.json()) as CreatorPage;
    creators.push(...(page.creators as GuideRow[])); // because of shape=guide
    cursor = page.nextCursor;
  }
  return creators;
}

function headcount(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set("Authorization", `Bearer ${env("HEADCOUNT_API_KEY")}`);
  return fetch(env("HEADCOUNT_URL") + path, {
    ...init,
    headers,
    signal: AbortSignal.timeout(8000), // within the 10 s that a webhook may take
  });
}
