# The service with its models, on a CPU:
#   docker build -t statement-checker .
#   docker run -p 127.0.0.1:8000:8000 -e STATEMENT_CHECKER_TOKEN=… statement-checker
# Any other command as well: docker run -i --rm statement-checker score - < posts.txt > scores.jsonl
FROM python:3.12-slim AS build
WORKDIR /src
RUN python -m venv /opt/checker
ENV PATH=/opt/checker/bin:$PATH
# An index with CPU builds of torch makes a smaller image.
ARG TORCH_INDEX=""
COPY constraints.txt ./
RUN pip install --no-cache-dir -c constraints.txt ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} torch
COPY pyproject.toml README.md LICENSE ./
COPY checker ./checker
COPY models ./models
RUN pip install --no-cache-dir -c constraints.txt ".[serve]"

FROM python:3.12-slim
COPY --from=build /opt/checker /opt/checker
RUN useradd --system --uid 10001 --create-home --home-dir /srv/checker checker
ENV PATH=/opt/checker/bin:$PATH PYTHONUNBUFFERED=1
USER 10001
WORKDIR /srv/checker
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s CMD ["python", "-c", "from checker.client import Client; Client().version()"]
ENTRYPOINT ["checker"]
CMD ["serve", "--host", "0.0.0.0"]
