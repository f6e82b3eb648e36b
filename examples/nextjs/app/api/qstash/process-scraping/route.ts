// POST /api/qstash/process-scraping: QStash's messages, {"jobId": "..."}, as before;
// new is that jobs of TikTok go to Headcount.
import { Receiver, SignatureError } from "@upstash/qstash";
import { env } from "../../../../lib/env";
import { handOver, never } from "../../../../lib/handover";
import { type Job, UNTOLD, find, tell } from "../../../../lib/jobs";

export async function POST(request: Request): Promise<Response> {
  const body = await request.text(); // as it came: the signature is over these bytes
  if (!(await isFromQStash(request, body))) {
    return new Response("unauthorized", { status: 401 });
  }
  const job = find(JSON.parse(body).jobId);
  if (!job) {
    return never("no job has this id");
  }
  if (job.platform.toLowerCase() === "tiktok" && job.keywords.length > 0) {
    return handOver(job);
  }
  return scrape(job);
}

async function isFromQStash(request: Request, body: string): Promise<boolean> {
  const receiver = new Receiver({
    currentSigningKey: env("QSTASH_CURRENT_SIGNING_KEY"),
    nextSigningKey: env("QSTASH_NEXT_SIGNING_KEY"),
  });
  const signature = request.headers.get("upstash-signature") ?? "";
  const url = `${env("PUBLIC_URL")}/api/qstash/process-scraping`;
  try {
    return await receiver.verify({ signature, body, url });
  } catch (error) {
    if (error instanceof SignatureError) {
      return false;
    }
    throw error;
  }
}

/** The app's own work on what is not TikTok's. */
async function scrape(job: Job): Promise<Response> {
  tell(job.id, UNTOLD, { status: "completed", progress: "100.0%" });
  return Response.json({ scraped: job.platform });
}
