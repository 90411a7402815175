-- What the rows do not show of a Parquet file. Run logitpack.sql first, and then:
--
--   FROM logitpack_file_breaches('data/train.parquet');    -- why the file cannot be read, if so
--
-- DuckDB itself finds a footer or a page that is cut short or does not parse: an error of any query.

CREATE OR REPLACE MACRO logitpack_required() AS [
    'num_tokens', 'top_counts', 'top_indices_low', 'top_indices_high', 'top_logits_quantized', 'top_min', 'top_max',
    'sampled_indices_low', 'sampled_indices_high', 'sampled_logits_quantized', 'sampled_min', 'sampled_max', 'logsumexp'
];

-- The columns of section 5 at the top level of a file, by the names that the file has: DuckDB ignores case, and renames
-- what stands twice. So `expression` takes a column of SELECT * by its position.
CREATE OR REPLACE MACRO logitpack_columns(file) AS TABLE
    WITH nodes AS (  -- depth first: each node takes one open place, and opens one for each of its children
        SELECT *, sum(coalesce(num_children, 0) - 1) OVER (ORDER BY column_id) - coalesce(num_children, 0) AS open
        FROM parquet_schema(file)
    ), numbered AS (  -- a column begins where fewer places are left open than ever before
        SELECT *, count(*) FILTER (begins) OVER (ORDER BY column_id) AS place
        FROM (
            SELECT *, column_id = 1 OR open < min(open) OVER (
                ORDER BY column_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS begins
            FROM nodes WHERE column_id > 0
        )
    ), columns AS (
        SELECT
            place, list(name ORDER BY column_id) AS names, list(numbered.type ORDER BY column_id) AS stored,
            list(coalesce(logical_type, converted_type) ORDER BY column_id) AS annotations,
            arg_min(duckdb_type, column_id) AS type
        FROM numbered GROUP BY place
    )
    SELECT name, seen[1] AS type, seen[2] AS expression
    FROM (
        SELECT names[1] AS name, CASE
            -- lists by their logical type alone, which DuckDB takes for groups
            WHEN annotations[1] = 'ListType()' AND names[2] = 'list' AND starts_with(type, 'STRUCT(list ')
                THEN [type[13:-2], format('(#{}).list', place)]
            -- old lists of groups of one field, which DuckDB takes for lists of that field
            WHEN len(names) = 3 AND names[2] IN ('array', names[1] || '_tuple') THEN ['STRUCT[]', NULL]
            WHEN type = 'BLOB' AND (stored[1] <> 'BYTE_ARRAY' OR annotations[1] IS NOT NULL)
                THEN [stored[1] || coalesce(' ' || annotations[1], ''), NULL]
            ELSE [type, format('#{}', place)]
        END AS seen
        FROM columns
    )
    WHERE list_contains(logitpack_required(), name) OR name = 'token_ids';

CREATE OR REPLACE MACRO logitpack_file_breaches(file) AS TABLE
    WITH footer AS (
        FROM parquet_file_metadata(file)
    ), chunks AS (
        SELECT *, coalesce(nullif(dictionary_page_offset, 0), data_page_offset) AS start FROM parquet_metadata(file)
    ), found AS (
        SELECT 'FILE-1: the footer counts ' || num_rows || ' rows, its row groups others' AS message
        FROM footer
        WHERE num_rows <> (
            SELECT coalesce(sum(n), 0) FROM (SELECT any_value(row_group_num_rows) AS n FROM chunks GROUP BY row_group_id))
        UNION ALL
        SELECT format('FILE-1: {} of row group {} is not inside the file', path_in_schema, row_group_id)
        FROM chunks, footer
        WHERE num_values > 0  -- those of an empty row group point nowhere
            AND (start < 4 OR total_compressed_size < 0 OR start + total_compressed_size > file_size_bytes - footer_size - 8)
        UNION ALL
        SELECT format('FILE-1: {} of row group {} has {} values for {} rows',
                      path_in_schema, row_group_id, num_values, row_group_num_rows)
        FROM chunks
        WHERE num_values < row_group_num_rows
        UNION ALL
        SELECT format('COL-1: {} stands {} times', name, count(*))
        FROM logitpack_columns(file) GROUP BY name HAVING count(*) > 1
        UNION ALL
        SELECT format('COL-1: {} is missing', name)
        FROM (SELECT unnest(logitpack_required()) AS name) ANTI JOIN logitpack_columns(file) USING (name)
        UNION ALL
        SELECT logitpack_type(name, type) FROM logitpack_columns(file)
    )
    SELECT split_part(message, ':', 1) AS requirement, message FROM found WHERE message IS NOT NULL;

-- A path as a pattern that matches nothing else.
CREATE OR REPLACE MACRO logitpack_literal(path) AS regexp_replace(path, '([*?[])', '[\1]', 'g');

-- The data files below a folder, in their order (section 4.2). DuckDB compares text by its bytes, and so by code points.
CREATE OR REPLACE MACRO logitpack_files(folder) AS TABLE
    SELECT file
    FROM (
        SELECT file, file[len(rtrim(folder, '/')) + 1:] AS path
        FROM glob(logitpack_literal(rtrim(folder, '/')) || '/**')
    )
    WHERE regexp_matches(path, '\.(parquet|arrow|arrows)$') AND NOT contains(path, '/.') AND NOT contains(path, '/_')
    ORDER BY path;
