"""What Alembic runs: the revisions, in the transaction the store has opened."""

from alembic import context

from headcount.adapters.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
