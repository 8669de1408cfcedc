"""dlt's REST client alone: pages by a cursor in the answer, records as they come."""

from dlt.sources.helpers.rest_client import RESTClient
from dlt.sources.helpers.rest_client.paginators import JSONResponseCursorPaginator
from measuring import measure


def read(url, size):
    paginator = JSONResponseCursorPaginator(cursor_path="next", cursor_param="after")
    client = RESTClient(base_url=url, paginator=paginator, data_selector="items")
    for page in client.paginate("/items", params={"limit": size}):
        yield from page


measure(read)
