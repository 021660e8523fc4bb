// The code for programs that queue, list rooms, listen to the chat, follow others or block people. Loaded when a program first does so.

export { Blocks } from "./blocks.js";
export { ChatStream } from "./chat_stream.js";
export { LiveListing, searchRooms } from "./live_listing.js";
export { PresenceList } from "./presence_list.js";
export { Queue } from "./queue.js";
