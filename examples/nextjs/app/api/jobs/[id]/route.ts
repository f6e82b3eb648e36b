// GET /api/jobs/ID: what the front end polls, as before.
import { find } from "../../../../lib/jobs";

type Context = { params: Promise<{ id: string }> };

export async function GET(_: Request, { params }: Context): Promise<Response> {
  const job = find((await params).id);
  return job ? Response.json(job) : new Response(null, { status: 404 });
}
