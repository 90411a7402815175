-- What the rows do not show of a Parquet file. Run logitpack.sql first, and then:
--
--   FROM logitpack_file_breaches('data/train.parquet');    -- why the file cannot be read, if so
--
-- DuckDB itself finds a footer or a page that is cut short or does not parse: an error of any query.

-- The top-level columns of a file in their order: the names that the file has (DuckDB ignores case, and renames what
-- stands twice), the type that DuckDB reads, and how the values, or those in a list, are stored.
CREATE OR REPLACE MACRO logitpack_columns(file) AS TABLE
    WITH nodes AS (  -- depth first: each node takes one open place, and opens one for each of its children
        SELECT *, sum(coalesce(num_children, 0) - 1) OVER (ORDER BY column_id) - coalesce(num_children, 0) AS open
        FROM parquet_schema(file)
    ), numbered AS (  -- a column begins where fewer places are left open than ever before
        SELECT *, count(*) FILTER (begins) OVER (ORDER BY column_id) - 1 AS position
        FROM (
            SELECT *, column_id = 1 OR open < min(open) OVER (
                ORDER BY column_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS begins
            FROM nodes WHERE column_id > 0
        )
    )
    SELECT position, arg_min(name, column_id) AS name, arg_min(duckdb_type, column_id) AS type,
        arg_max_null(numbered.type, column_id) AS storage,
        arg_max_null(coalesce(logical_type, converted_type), column_id) AS annotation
    FROM numbered GROUP BY position ORDER BY position;

-- The columns of section 5, and whether they may be absent.
CREATE OR REPLACE MACRO logitpack_expected() AS TABLE
    SELECT unnest([
        'num_tokens', 'top_counts', 'top_indices_low', 'top_indices_high', 'top_logits_quantized', 'top_min', 'top_max',
        'sampled_indices_low', 'sampled_indices_high', 'sampled_logits_quantized', 'sampled_min', 'sampled_max',
        'logsumexp', 'token_ids'
    ]) AS name;

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
        SELECT format('COL-1: {} {}', name, if(count(position) = 0, 'is missing', 'stands more than once'))
        FROM logitpack_expected() LEFT JOIN logitpack_columns(file) USING (name)
        GROUP BY name
        HAVING count(position) > 1 OR count(position) = 0 AND name <> 'token_ids'
        UNION ALL
        SELECT coalesce(logitpack_type(name, type),
                        if(type = 'BLOB' AND (storage <> 'BYTE_ARRAY' OR annotation IS NOT NULL),
                           format('COL-2: {} is {} {}', name, storage, coalesce(annotation, '')), NULL))
        FROM logitpack_expected() JOIN logitpack_columns(file) USING (name)
    )
    SELECT split_part(message, ':', 1) AS requirement, message FROM found WHERE message IS NOT NULL;

-- A path as a pattern that matches it only.
CREATE OR REPLACE MACRO logitpack_literal(path) AS regexp_replace(path, '([*?[])', '[\1]', 'g');

-- The data files of a dataset (section 4.2) in their order. Text is compared by its UTF-8 bytes, as by code points.
CREATE OR REPLACE MACRO logitpack_files(folder) AS TABLE
    SELECT file
    FROM (SELECT file, file[len(folder) + 2:] AS path FROM glob(logitpack_literal(folder) || '/**'))
    WHERE regexp_matches(path, '\.(parquet|arrow|arrows)$') AND NOT regexp_matches('/' || path, '/[._]')
    ORDER BY path;
