"""zope.sqlalchemy's own tests, downloaded when the proof runs, on SQLAlchemy engines of ours, on each driver."""
