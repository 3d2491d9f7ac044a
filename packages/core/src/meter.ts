/** What an app's code below a handler can say about its call. */
export {}
