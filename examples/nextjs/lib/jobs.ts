// The app's own table of jobs, as it was before. In earnest it is in your database.
import type { GuideRow, Status } from "./headcount";

export type Job = {
  id: string;
  platform: string;
  keywords: string[];
  targetResults: number;
  status: Status;
  progress: string;
  results: GuideRow[];
  error: string | null;
  toldAt: string; // when what Headcount has told of it happened
};
export const UNTOLD = "";

// Next.js may load this file once for each route, so the table is kept globally.
declare global {
  var jobTable: Map<string, Job> | undefined;
}
const table = (globalThis.jobTable ??= new Map());

export function keep(
  asked: Pick<Job, "platform" | "keywords" | "targetResults">,
): Job {
  const job: Job = {
    platform: asked.platform,
    keywords: asked.keywords,
    targetResults: asked.targetResults,
    id: crypto.randomUUID(),
    status: "pending",
    progress: "0.0%",
    results: [],
    error: null,
    toldAt: UNTOLD,
  };
  table.set(job.id, job);
  return job;
}

export function find(id: string): Job | undefined {
  return table.get(id);
}

/** Write down what happened at a time, unless something later is known already.
 *
 * `UPDATE jobs SET ... WHERE id = $1 AND told_at <= $2` */
export function tell(id: string, at: string, news: Partial<Job>): void {
  const job = table.get(id);
  if (job && job.toldAt <= at) {
    table.set(id, { ...job, ...news, toldAt: at });
  }
}
