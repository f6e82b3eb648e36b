// POST /api/webhooks/headcount: how jobs go at Headcount, signed by Standard Webhooks.
import { Webhook, WebhookVerificationError } from "standardwebhooks";
import { env } from "../../../../lib/env";
import { creatorsOf } from "../../../../lib/handover";
import type { WebhookMessage } from "../../../../lib/headcount";
import { find, tell } from "../../../../lib/jobs";

export async function POST(request: Request): Promise<Response> {
  const message = verified(await request.text(), request.headers);
  if (!message) {
    return new Response("unauthorized", { status: 401 });
  }
  const { type, timestamp, data } = message;
  const job = find(data.campaign ?? "");
  if (job && job.toldAt <= timestamp) {
    const ended = type !== "job.progress";
    const results = ended ? await creatorsOf(data.id) : job.results;
    const error = data.outcome?.reason ?? null; // why there are fewer
    const { status, progress } = data;
    tell(job.id, timestamp, { status, progress, results, error });
  }
  return new Response(null, { status: 204 });
}

/** The message, if it is Headcount's and at most five minutes old.
 *
 * The library compares in constant time, and takes either secret during a rotation. */
function verified(body: string, headers: Headers): WebhookMessage | null {
  const webhook = new Webhook(env("HEADCOUNT_WEBHOOK_SECRET"));
  try {
    return webhook.verify(body, Object.fromEntries(headers)) as WebhookMessage;
  } catch (error) {
    if (error instanceof WebhookVerificationError) {
      return null;
    }
    throw error;
  }
}
