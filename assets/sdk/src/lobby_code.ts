// What a program needs that queues, lists rooms, listens to the chat or blocks people. Loaded when it first does.

export { Blocks } from "./blocks.js";
export { ChatStream } from "./chat_stream.js";
export { LiveListing, searchRooms } from "./live_listing.js";
export { Queue } from "./queue.js";
