// The objects of Headcount's HTTP API, made from its OpenAPI document: do not edit.
// `python scripts/reference.py` writes it anew.

/** What a holder may use; both limits are set, and one left out is lifted. */
export type AllowanceAsk = {
  /** Whose it is, * for all owners together; else the key's own owner. */
  owner?: string | null;
  /** A user of the owner's, as jobs name them; else the whole owner. */
  endUser?: string | null;
  /** Credits that may be spent in a day, in UTC. */
  creditsPerDay?: number | null;
  /** Creators that may be delivered in a month, in UTC. */
  creatorsPerMonth?: number | null;
};

/** What creators must be like; a filter that is left out lets all pass. */
export type FiltersAsk = {
  /** At least this many followers (850, 10k, 1.5m). */
  followersMin?: number | string | null;
  /** At most this many followers. */
  followersMax?: number | string | null;
  /** The video has been played at least this often. */
  playsMin?: number | string | null;
  /** The video has at least this many likes. */
  likesMin?: number | string | null;
  /** The video was posted within this time (12h, 30d, 2w). */
  postedWithin?: string | null;
  /** Verified accounts only. */
  verified?: boolean | null;
  /** The caption or its hashtags contain this; every one where repeated. */
  captionHas?: Array<string> | string | null;
  /** Neither the caption nor its hashtags contain this. */
  captionLacks?: Array<string> | string | null;
  /** The caption is in this language (en, es, ...); any one where repeated. */
  language?: Array<string> | string | null;
  /** Leave advertisements out. */
  noAds?: boolean | null;
};

/** What the job may spend; what is left out comes from the service's settings. */
export type LimitsAsk = {
  /** Calls in all. */
  maxCalls?: number | null;
  /** Credits in all. */
  maxCredits?: number | null;
  /** Money in all, where the service knows the price of a credit. */
  maxCost?: number | null;
  /** Nothing is asked after this: a time with its zone (ISO 8601), or a time from now such as 90s, 15m or 2h. */
  deadline?: string | null;
  /** Attempts at a page before its keyword waits. */
  attempts?: number | null;
  /** Waste no calls, a few, or some to be done sooner. */
  speed?: "lean" | "balanced" | "fast" | null;
};

/** How far a job looks around before it pauses, to tell what it would take. */
export type PlanAsk = {
  /** Calls that it may make; one a keyword, and five at most, where nothing is said. */
  calls?: number | null;
};

/** A search: how many creators, from which keywords, within what limits. */
export type SearchAsk = {
  /** Which new sources may be opened where the keywords fall short. */
  expand?: "off" | "variants" | "related" | "all" | null;
  /** Words that no keyword opened so may have in it. */
  expandExclude?: Array<string> | null;
  /** The least relevance of what may be opened. */
  relevanceMin?: number | null;
  /** A list, or text in which commas separate them. Each keyword is a source of its own. */
  keywords: Array<string> | string;
  /** How many creators. */
  targetResults: number;
  /** The platform to search, in any case: tiktok. */
  platform?: string;
  filters?: FiltersAsk | null;
  limits?: LimitsAsk | null;
  /** Only look around, then pause: GET /api/jobs/{id}/plan tells what the rest will take, and POST /api/jobs/{id}/resume goes on from there. */
  plan?: PlanAsk | null;
  /** The country to search from, such as US. */
  region?: string | null;
  /** The order asked for. */
  sort?: "relevance" | "most-liked" | "date-posted" | null;
  /** How old videos may be. */
  period?: "yesterday" | "this-week" | "this-month" | "last-3-months" | "last-6-months" | "all-time" | null;
  /** What you call it, to find it by. */
  campaign?: string | null;
  /** Which of your users it is for. */
  endUser?: string | null;
  /** The URL that is told how the job goes. */
  webhook?: string | null;
  /** Search an invented world: no key, no cost. */
  sandbox?: boolean;
};

/** An endpoint, and the secret that its messages are to be signed with. */
export type SecretAsk = {
  /** The URL that jobs name as their webhook. */
  url: string;
  /** `whsec_` and 24 to 64 bytes in base64; else a new one. */
  secret?: string | null;
};

/** Where a job stands; the last four are ends. */
export type Status = "pending" | "processing" | "paused" | "completed" | "partial" | "cancelled" | "failed";

/** What a job may have in all: absolute, so that asking twice changes nothing. */
export type TopUpAsk = {
  /** Which new sources may be opened where the keywords fall short. */
  expand?: "off" | "variants" | "related" | "all" | null;
  /** Words that no keyword opened so may have in it. */
  expandExclude?: Array<string> | null;
  /** The least relevance of what may be opened. */
  relevanceMin?: number | null;
  /** Creators in all. */
  targetResults?: number | null;
  /** Limits in all. */
  limits?: LimitsAsk | null;
};

/** What an owner, or a user of theirs, may use, and has used. */
export type Allowance = {
  /** Whose it is; * is all owners together. */
  owner: string;
  /** The user of the owner's; null for the owner as a whole. */
  endUser: string | null;
  /** Credits that may be spent in a day, in UTC; null is no limit. */
  creditsPerDay: number | null;
  /** Credits spent, or held for calls that are out. */
  creditsUsedToday: number;
  /** Creators that may be delivered in a month, in UTC; null is no limit. */
  creatorsPerMonth: number | null;
  /** Creators delivered. */
  creatorsUsedThisMonth: number;
};

/** What an owner and their users may use, and have used. */
export type AllowancePage = {
  /** One for each holder. */
  allowances: Array<Allowance>;
};

/** One closed call of the ledger. Its items are each exactly one of: new, duplicate, rejected, pending, unusable. */
export type ApiCallDetail = {
  /** Counts, from 1, the calls that were or may have been charged; null for one that surely was not. */
  callNumber: number | null;
  /** The keyword of the source asked. */
  keyword: string;
  /** The endpoint and variant asked, such as keyword+region=US. */
  source: string;
  /** Where in the source the page began. */
  cursor: string;
  /** Entries of the page, readable or not. */
  itemsReceived: number;
  /** Creators that qualified by this page. */
  newUnique: number;
  /** Items whose creator had qualified before. */
  duplicates: number;
  /** Items that the filters turned away. */
  rejected: number;
  /** Items whose creator waits for a further call. */
  pending: number;
  /** Items that could not be read. */
  unusable: number;
  /** Time from request to answer, in milliseconds. */
  durationMs: number;
  /** Size of the answer's body, decompressed, in bytes. */
  responseBytes: number;
  /** This request and the uncharged ones before it for the same page. */
  attempts: number;
  /** Credits that the call cost. */
  credits: number;
  /** settled: a page came; failed: none came, and it may have been charged; refused: none came, and it surely was not; lost: open when its worker died, so it counts as charged. */
  state: "settled" | "failed" | "refused" | "lost";
  /** What went wrong; null where a page came. */
  error: string | null;
  /** When the call was closed. */
  timestamp: Moment;
  /** Where the source comes from that the job opened itself; null for one that was asked for. */
  origin: string | null;
};

/** The ledger, in the order the calls were held. */
export type CallPage = {
  /** The calls. */
  calls: Array<ApiCallDetail>;
  /** Where the next page begins; null where there is none now. */
  nextCursor: string | null;
};

/** Delivered creators by ordinal. */
export type CreatorPage = {
  /** The creators, all in the shape asked for. */
  creators: Array<Row | GuideRow>;
  /** Where the next page begins; null where there is none now. */
  nextCursor: string | null;
};

/** The block that monitoring reads: the real jobs that were processed. */
export type ExactCountStats = {
  /** Processed jobs: completed, partial and failed ones. */
  totalJobsProcessed: number;
  exactCountAchieved: Figures["exactCountAchieved"];
  accuracyRate: Figures["accuracyRate"];
  avgApiCallsPerJob: Figures["avgApiCalls"];
  avgProcessingTime: Figures["avgProcessingTime"];
  /** The keywords that most of these jobs had, ten at most. */
  topKeywords: Array<string>;
  /** When these figures were read; they cover every job that had ended by then. */
  lastUpdated: Moment;
};

/** How the service does, in one flat object: the figures of the real jobs. */
export type ExactCountStatus = {
  totalJobs: Figures["totalJobs"];
  completed: Figures["completed"];
  partial: Figures["partial"];
  cancelled: Figures["cancelled"];
  failed: Figures["failed"];
  exactCountAchieved: Figures["exactCountAchieved"];
  accuracyRate: Figures["accuracyRate"];
  completionRate: Figures["completionRate"];
  successRate: Figures["successRate"];
  apiEfficiency: Figures["apiEfficiency"];
  avgApiCalls: Figures["avgApiCalls"];
  avgProcessingTime: Figures["avgProcessingTime"];
  totalApiCalls: Figures["totalApiCalls"];
  creditsSpent: Figures["creditsSpent"];
  creatorsDelivered: Figures["creatorsDelivered"];
  duplicatesFound: Figures["duplicatesFound"];
  /** When these figures were read; they cover every job that had ended by then. */
  lastUpdated: Moment;
};

/** The whole statistics of a job. */
export type ExactCountTracking = {
  /** The version of this object. */
  version: "2.0";
  targetCount: Progress["target"];
  uniqueCreatorsFound: Progress["current"];
  /** Qualified creators beyond the target, kept for later. */
  spareCreators: number;
  /** Creators that the filters turned away. */
  rejectedCreators: number;
  /** Creators about whom a further call must tell. */
  pendingCreators: number;
  totalApiCalls: Progress["apiCalls"];
  /** All requests, those surely not charged too. */
  attempts: number;
  /** Credits that the closed calls cost. */
  creditsSpent: number;
  duplicatesFound: Progress["duplicatesFound"];
  averageCreatorsPerCall: Progress["averagePerCall"];
  predictedCallsRemaining: Progress["predictedCallsRemaining"];
  progress: Progress["progress"];
  /** Whether all creators asked for are delivered. */
  targetAchieved: boolean;
  /** Each call that was or may have been charged, in the order they were closed. */
  apiCallDetails: Array<ApiCallDetail>;
};

/** The sources that the job opened itself: how many, what they cost, and what they brought. */
export type Expansion = {
  /** Sources that the job opened. */
  sources: number;
  /** Calls of theirs that were or may have been charged. */
  calls: number;
  /** Credits that these cost. */
  credits: number;
  /** Creators that qualified by them. */
  newUnique: number;
};

/** A figure that is expected, and between what it lies in nine cases of ten. */
export type Figure = {
  /** The low end. */
  low: number;
  /** What is expected. */
  expected: number;
  /** The high end. */
  high: number;
} | null;

/** The key figures of a set of jobs that have ended. */
export type Figures = {
  /** Jobs that have ended, in whatever way. */
  totalJobs: number;
  /** Jobs that delivered all creators they were asked for. */
  completed: number;
  /** Jobs that ended with fewer, for a named reason. */
  partial: number;
  /** Jobs that their owner cancelled. */
  cancelled: number;
  /** Jobs that ended by a defect. */
  failed: number;
  /** Processed jobs that delivered exactly as many creators as asked. Processed are completed, partial and failed jobs. */
  exactCountAchieved: number;
  /** exactCountAchieved of all processed jobs, in percent, cut to one decimal; null where there are none. */
  accuracyRate: string | null;
  /** Completed and partial jobs of all processed ones, in percent; null where there are none. */
  completionRate: string | null;
  /** Completed jobs of all that have ended, cancelled ones too, in percent; null where there are none. */
  successRate: string | null;
  /** Creators delivered per call, over all processed jobs, rounded to two decimals; null without a call. */
  apiEfficiency: number | null;
  /** Calls per processed job, rounded to two decimals; null where there are none. */
  avgApiCalls: number | null;
  /** Time from the first claim to the end, per processed job that was begun; the time that a job lay ended before it was taken further is left out. Null where there are none. */
  avgProcessingTime: string | null;
  /** Calls that were or may have been charged, of all jobs that have ended. */
  totalApiCalls: number;
  /** Credits that those calls cost. */
  creditsSpent: number;
  /** Creators delivered by all jobs that have ended. */
  creatorsDelivered: number;
  /** Items of those jobs whose creator had qualified before. */
  duplicatesFound: number;
};

/** The filters that are set; those not set are absent. */
export type Filters = {
  /** At least this many followers. */
  followersMin?: number;
  /** At most this many followers. */
  followersMax?: number;
  /** The video has been played at least this often. */
  playsMin?: number;
  /** The video has at least this many likes. */
  likesMin?: number;
  /** The video was posted within this time, in seconds: 86400s is a day. */
  postedWithin?: string;
  /** Verified accounts only. */
  verified?: boolean;
  /** The caption or its hashtags contain each of these. */
  captionHas?: Array<string>;
  /** Neither the caption nor its hashtags contain any of these. */
  captionLacks?: Array<string>;
  /** The caption is in one of these languages (ISO 639-1). */
  language?: Array<string>;
  /** Advertisements are left out. */
  noAds?: boolean;
};

/** How an ended job went, as the metadata of a job of another's table has it. */
export type FinalReport = {
  targetCount: Progress["target"];
  uniqueCreatorsFound: Progress["current"];
  collectedCount: Progress["current"];
  targetAchieved: ExactCountTracking["targetAchieved"];
  reason: Outcome["reason"];
  totalApiCalls: Progress["apiCalls"];
  /** Items received, repeats included. */
  totalCreatorsScanned: number;
  duplicatesFound: Progress["duplicatesFound"];
  averageCreatorsPerCall: Progress["averagePerCall"];
  creditsSpent: ExactCountTracking["creditsSpent"];
  /** Milliseconds from the first step to the end. */
  processingTime: number;
  /** When the job ended. */
  completedAt: string | null;
};

/** What is ahead of a job, by what its sources have shown so far. */
export type Forecast = {
  /** Calls still to be made until it is completed or its sources are empty; null when no source is left to ask. */
  calls: Range | null;
  /** What they will cost, by what a call has cost so far. */
  credits: Range | null;
  /** Qualified creators that the job would have in the end if it had no target; one that may open new sources is expected to go on to its target. */
  reach: Range;
  /** Whether the target lies beyond the reach, even beyond its high end; never before a page was seen. */
  outOfReach: boolean;
  /** What those calls will take while somebody works on the job, by its tempo so far; null before a call came back. */
  seconds: Figure;
};

/** A creator in the shape that front ends of the JavaScript original read. */
export type GuideRow = {
  id: Row["id"];
  /** Whose video it is. */
  creator: {
    uniqueId: Row["username"];
    name: Row["name"];
    followers: Row["followers"];
    avatarUrl: Row["avatarUrl"];
    /** What the creator says of themselves; empty where the page does not tell. */
    bio: string;
    verified: Row["verified"];
  };
  /** The post that showed the creator. */
  video: {
    description: Video["description"];
    url: Video["url"];
    /** The counts by TikTok's own names. */
    statistics: {
      play_count: Video["plays"];
      digg_count: Video["likes"];
      comment_count: Video["comments"];
      share_count: Video["shares"];
    };
  };
  hashtags: Row["hashtags"];
  /** The platform by its own name, such as TikTok. */
  platform: string;
  collectedAt: Row["collectedAt"];
  /** Present where the creator is fictional. */
  sandbox?: true;
};

/** All is well. */
export type Health = {
  status: "ok";
};

/** A job with its statistics. */
export type Job = {
  /** The job's id. */
  id: string;
  /** Where the job stands; the last four are ends. */
  status: "pending" | "processing" | "paused" | "completed" | "partial" | "cancelled" | "failed";
  /** Whether its creators are fictional. */
  sandbox: boolean;
  /** Who holds the API key that began it; local on the command line. */
  owner: string;
  /** What its owner calls it; null where it was given no name. */
  campaign: string | null;
  /** Which of its owner's users it is for; null where unsaid. */
  endUser: string | null;
  /** The URL that is told how the job goes; null where none is. */
  webhook: string | null;
  targetResults: Progress["target"];
  /** What was searched for; each keyword is a source of its own. */
  keywords: Array<string>;
  /** The platform searched, such as tiktok. */
  platform: string;
  /** The country asked for, in two letters (ISO 3166-1); null for the provider's own choice. */
  region: string | null;
  /** The order asked for; null for the provider's own. */
  sort: string | null;
  /** How old videos may be, by the provider's names; null for any age. */
  period: string | null;
  filters: Filters;
  limits: Limits;
  /** Which new sources the job may open when its own cannot reach the target. */
  expand: "off" | "variants" | "related" | "all";
  /** Words that no keyword opened by the job may have in it. */
  expandExclude: Array<string>;
  /** The least relevance of a source that the job may open, from 0 to 1. */
  relevanceMin: number;
  current: Progress["current"];
  target: Progress["target"];
  progress: Progress["progress"];
  apiCalls: Progress["apiCalls"];
  duplicatesFound: Progress["duplicatesFound"];
  averagePerCall: Progress["averagePerCall"];
  predictedCallsRemaining: Progress["predictedCallsRemaining"];
  /** Qualified creators beyond the target, kept for later. */
  spares: number;
  /** Creators that the filters turned away. */
  rejected: number;
  /** Credits that the closed calls cost. */
  credits: number;
  /** Calls that are out, and will be counted when they come back. */
  openCalls: number;
  /** Calls that the job may make in all. */
  callCap: number;
  /** How the job ended; null while it has not. */
  outcome: Outcome | null;
  /** Why the job asks nothing for now, and until when; null where it does not wait. */
  rest: Rest | null;
  forecast: Forecast;
  /** The sources: one for each keyword, in their order, then those that the job opened itself. */
  sources: Array<Source>;
  expansion: Expansion;
  /** When the job was created. */
  createdAt: Moment;
  /** When a worker first took it; null before. */
  startedAt: Moment | null;
  /** When it ended; null before. */
  endedAt: Moment | null;
  /** What would help where it fell short; empty where nothing would. */
  advice: string;
  exactCountTracking: ExactCountTracking;
};

/** A job, without its creators and calls. */
export type JobDocument = {
  /** The job's id. */
  id: string;
  /** Where the job stands; the last four are ends. */
  status: "pending" | "processing" | "paused" | "completed" | "partial" | "cancelled" | "failed";
  /** Whether its creators are fictional. */
  sandbox: boolean;
  /** Who holds the API key that began it; local on the command line. */
  owner: string;
  /** What its owner calls it; null where it was given no name. */
  campaign: string | null;
  /** Which of its owner's users it is for; null where unsaid. */
  endUser: string | null;
  /** The URL that is told how the job goes; null where none is. */
  webhook: string | null;
  targetResults: Progress["target"];
  /** What was searched for; each keyword is a source of its own. */
  keywords: Array<string>;
  /** The platform searched, such as tiktok. */
  platform: string;
  /** The country asked for, in two letters (ISO 3166-1); null for the provider's own choice. */
  region: string | null;
  /** The order asked for; null for the provider's own. */
  sort: string | null;
  /** How old videos may be, by the provider's names; null for any age. */
  period: string | null;
  filters: Filters;
  limits: Limits;
  /** Which new sources the job may open when its own cannot reach the target. */
  expand: "off" | "variants" | "related" | "all";
  /** Words that no keyword opened by the job may have in it. */
  expandExclude: Array<string>;
  /** The least relevance of a source that the job may open, from 0 to 1. */
  relevanceMin: number;
  current: Progress["current"];
  target: Progress["target"];
  progress: Progress["progress"];
  apiCalls: Progress["apiCalls"];
  duplicatesFound: Progress["duplicatesFound"];
  averagePerCall: Progress["averagePerCall"];
  predictedCallsRemaining: Progress["predictedCallsRemaining"];
  /** Qualified creators beyond the target, kept for later. */
  spares: number;
  /** Creators that the filters turned away. */
  rejected: number;
  /** Credits that the closed calls cost. */
  credits: number;
  /** Calls that are out, and will be counted when they come back. */
  openCalls: number;
  /** Calls that the job may make in all. */
  callCap: number;
  /** How the job ended; null while it has not. */
  outcome: Outcome | null;
  /** Why the job asks nothing for now, and until when; null where it does not wait. */
  rest: Rest | null;
  forecast: Forecast;
  /** The sources: one for each keyword, in their order, then those that the job opened itself. */
  sources: Array<Source>;
  expansion: Expansion;
  /** When the job was created. */
  createdAt: Moment;
  /** When a worker first took it; null before. */
  startedAt: Moment | null;
  /** When it ended; null before. */
  endedAt: Moment | null;
};

/** Jobs, the newest first. */
export type JobPage = {
  /** The jobs. */
  jobs: Array<JobDocument>;
  /** Where the next page begins; null where there is none now. */
  nextCursor: string | null;
};

/** What the job may spend. */
export type Limits = {
  /** Calls in all; null for three times the expectation. */
  maxCalls: number | null;
  /** Credits in all; null for no limit of its own. */
  maxCredits: number | null;
  /** Nothing is asked after this; null for no deadline. */
  deadline: Moment | null;
  /** Failures in a row after which a source is set aside. */
  attempts: number;
  /** How many calls may be wasted to be done sooner. */
  speed: "lean" | "balanced" | "fast";
};

/** A time in UTC, to the millisecond (ISO 8601). */
export type Moment = string;

/** The data of an event: the numbers of `progress`, and these. */
export type News = {
  at: Moment;
  /** The status the job has come to. */
  status: string;
  /** Credits spent. */
  credits: number;
  /** The calls just closed. */
  calls: Array<ApiCallDetail>;
  outcome: Outcome | null;
  rest: Rest | null;
  forecast: Forecast;
};

/** How a job ended. */
export type Outcome = {
  /** Creators missing. */
  shortBy: number;
  /** Why creators are missing; null where none are, and for a cancelled or failed job. */
  reason: "sources_exhausted" | "call_limit" | "budget" | "deadline" | "out_of_credits" | "provider_blocked" | "finished_by_user" | null;
  /** More words on the reason. */
  detail: string | null;
};

/** What a search is expected to take, told from a few pages of it. */
export type Plan = {
  job: JobDocument["id"];
  sandbox: JobDocument["sandbox"];
  targetResults: JobDocument["targetResults"];
  found: Progress["current"];
  /** What the plan itself cost. */
  spent: {
    calls: Progress["apiCalls"];
    credits: JobDocument["credits"];
  };
  /** What is still to come: null where no source is left to ask, cost where no price is set, and seconds where no call came back. */
  needed: {
    calls: Figure;
    credits: Figure;
    cost: Figure;
    seconds: Figure;
  };
  callCap: JobDocument["callCap"];
  /** Whether more calls are expected than the job may make. */
  overTheCap: boolean;
  reach: Figure;
  /** Whether the target lies beyond the range of what the keywords hold. */
  outOfReach: boolean;
  /** Of each keyword, what it has shown and is expected to show. */
  keywords: Array<{
    keyword: Source["keyword"];
    pages: Source["pages"];
    newUnique: Source["newUnique"];
    supply: Source["supply"];
    error: Source["error"];
  }>;
  /** The sources that the job would open first, by what it may be allowed. */
  mayOpen: {
    variants: Array<string>;
    related: Array<string>;
  };
  /** The command that goes on from what is there; null where nothing is missing. */
  resume: string | null;
};

/** What went wrong, as in RFC 9457. */
export type Problem = {
  /** The kind of problem. */
  type: string;
  /** The kind in words. */
  title: string;
  /** The HTTP status. */
  status: number;
  /** What is wrong this time. */
  detail: string;
  /** What to do about it. */
  hint: string;
  /** The fields of the request that are at fault. */
  errors: Array<{
    /** Its path. */
    field: string;
    /** What is wrong with it. */
    detail: string;
  }>;
};

/** The numbers of a progress bar. */
export type Progress = {
  /** Creators delivered so far. */
  current: number;
  /** Creators asked for. */
  target: number;
  /** The share delivered, in percent, cut to one decimal; 100.0% only when all are there. */
  progress: string;
  /** Calls that were or may have been charged. */
  apiCalls: number;
  /** Items whose creator had qualified before. */
  duplicatesFound: number;
  /** Creators delivered per such call, rounded to two decimals; 0 before the first. */
  averagePerCall: number;
  /** Calls that the missing creators are expected to take; null when no source is left to ask. */
  predictedCallsRemaining: number | null;
};

/** A figure that is expected; in nine of ten jobs it comes to lie between low and high. */
export type Range = {
  /** The low end. */
  low: number;
  /** The figure expected. */
  expected: number;
  /** The high end. */
  high: number;
};

/** Why a job that could go on asks nothing. */
export type Rest = {
  /** When it goes on by itself. */
  until: string;
  /** What forbids it until then: which daily budget is used up. */
  reason: string;
};

/** A creator, with the video that showed them. */
export type Row = {
  /** Counts the qualified creators of the job from 1; null for others. */
  ordinal: number | null;
  /** The platform, such as tiktok. */
  platform: string;
  /** The platform's own, stable id. Text: it may have more digits than a number keeps. */
  id: string;
  /** The handle, without @; it may change. */
  username: string;
  /** The name shown. */
  name: string;
  /** The address of the profile; null where unknown. */
  profileUrl: string | null;
  /** Followers; null where unknown. */
  followers: number | null;
  /** Whether the platform vouches for the account. */
  verified: boolean;
  /** The address of the picture; null where unknown. */
  avatarUrl: string | null;
  /** The keyword by which the creator was found. */
  keyword: string;
  /** The endpoint and variant by which the creator was found. */
  source: string;
  /** Where that source comes from, if the job opened it itself; null for one that was asked for. */
  origin: string | null;
  /** The hashtags of the video, without #. */
  hashtags: Array<string>;
  /** Posts in which the job saw the creator. */
  seenIn: number;
  /** When the creator was found. */
  collectedAt: Moment;
  video: Video;
  /** Present where the creator is fictional. */
  sandbox?: true;
};

/** One stream of pages. */
export type Source = {
  /** The keyword searched for. */
  keyword: string;
  /** The endpoint and variant, such as keyword+region=US. */
  source: string;
  /** open: worth asking; dry: its end is confirmed; failing: set aside after too many failures in a row. */
  state: "open" | "dry" | "failing";
  /** Where it goes on. */
  cursor: string;
  /** Pages received. */
  pages: number;
  /** Entries of those pages, readable or not. */
  itemsReceived: number;
  /** Creators that qualified by them. */
  newUnique: number;
  /** Further new creators that it is expected to show. */
  supply: number;
  /** Where a source comes from that the job opened itself; null for one that was asked for. */
  origin: string | null;
  /** How close it is to the keywords asked for, from 0 to 1. */
  relevance: number;
  /** Credits that its calls cost. */
  credits: number;
  /** What its last answer said, where that was no page; otherwise null. */
  error: string | null;
};

/** The figures of all jobs covered that have ended, by their kind and by the target asked. */
export type Statistics = {
  /** The first day covered, on which a job was created, in UTC; null for no first day. */
  since: string | null;
  /** The last day covered; null for no last day. */
  until: string | null;
  /** Only jobs with this keyword; null for all. */
  keyword: string | null;
  /** Only jobs of this owner; null for all. */
  owner: string | null;
  exactCountStats: ExactCountStats;
  /** Real jobs. */
  real: Figures;
  /** Jobs in an invented world. */
  sandbox: Figures;
  /** Jobs that the cap for testing allowed fewer calls than they would have had. */
  testCapped: Figures;
  /** The real jobs by the number of creators asked for. */
  byTargetCount: Array<{
    /** The largest target of these jobs; null for all larger ones. */
    targetCountUpTo: number | null;
    figures: Figures;
  }>;
};

/** The post that showed a creator. */
export type Video = {
  /** The platform's id of the post. Text, as the creator's. */
  id: string;
  /** The address of the post; null where unknown. */
  url: string | null;
  /** The caption. */
  description: string;
  /** When it was posted; null where unknown. */
  postedAt: Moment | null;
  /** Plays; null where unknown. */
  plays: number | null;
  /** Likes; null where unknown. */
  likes: number | null;
  /** Comments; null where unknown. */
  comments: number | null;
  /** Shares; null where unknown. */
  shares: number | null;
};

/** Where a job stands, as its webhook is told. */
export type WebhookJob = {
  id: JobDocument["id"];
  status: JobDocument["status"];
  sandbox: JobDocument["sandbox"];
  /** The campaign that the job was given; null without one. */
  campaign: string | null;
  /** The user of its owner whose job it is; null without one. */
  endUser: string | null;
  current: Progress["current"];
  target: Progress["target"];
  progress: Progress["progress"];
  apiCalls: Progress["apiCalls"];
  duplicatesFound: Progress["duplicatesFound"];
  averagePerCall: Progress["averagePerCall"];
  predictedCallsRemaining: Progress["predictedCallsRemaining"];
  spares: JobDocument["spares"];
  rejected: JobDocument["rejected"];
  credits: JobDocument["credits"];
  /** How the job ended; null while it has not. */
  outcome: Outcome | null;
  createdAt: JobDocument["createdAt"];
  /** When a worker first took it; null before. */
  startedAt: Moment | null;
  /** When it ended; null before. */
  endedAt: Moment | null;
};

/** What is sent to a webhook. */
export type WebhookMessage = {
  /** What happened; ends are told always, progress every ten seconds at most. */
  type: "job.progress" | "job.completed" | "job.partial" | "job.failed";
  /** When it happened; messages may come in another order. */
  timestamp: Moment;
  data: WebhookJob;
};

/** The secret of an endpoint, shown once. */
export type WebhookSecret = {
  /** The URL that jobs name as their webhook. */
  url: string;
  /** What its messages are signed with, by the Standard Webhooks rules. */
  secret: string;
};
