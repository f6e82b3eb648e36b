// POST /api/jobs: keeps a job and has QStash call the app back, as before.
import { Client } from "@upstash/qstash";
import { env } from "../../../lib/env";
import { keep } from "../../../lib/jobs";

export async function POST(request: Request): Promise<Response> {
  const job = keep(await request.json());
  await new Client({ token: env("QSTASH_TOKEN") }).publishJSON({
    url: `${env("PUBLIC_URL")}/api/qstash/process-scraping`,
    body: { jobId: job.id },
  });
  return Response.json({ id: job.id }, { status: 201 });
}
