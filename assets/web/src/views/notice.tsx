// A page with one message.

/** A title and a text, and a button that loads the page anew. */
export function Notice({ title, text, retries = false }: { title: string; text: string; retries?: boolean }) {
  return (
    <main class="notice">
      <h1>{title}</h1>
      <p role="status">{text}</p>
      {retries && (
        <button type="button" class="primary" onClick={() => location.reload()}>
          Try again
        </button>
      )}
    </main>
  );
}
