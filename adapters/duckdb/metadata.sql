-- The metadata of section 13. Only their version can make a reader refuse a file (META-2), but which of several objects
-- is in force depends on which of them are valid.

-- The members that schema/metadata.schema.json knows: a whole number is one without a fraction, however it is written.
CREATE OR REPLACE MACRO logitpack_members() AS TABLE
    SELECT * FROM (VALUES
        ('$.spec_version', 'text', true, '(0|[1-9][0-9]{0,8})[.](0|[1-9][0-9]{0,8})', NULL, NULL),
        ('$.model', 'object', true, NULL, NULL, NULL),
        ('$.model.id', 'text', true, '.+', NULL, NULL),
        ('$.model.revision', 'text', false, NULL, NULL, NULL),
        ('$.model.dtype', 'text', false, NULL, NULL, NULL),
        ('$.tokenizer', 'object', true, NULL, NULL, NULL),
        ('$.tokenizer.id', 'text', true, '.+', NULL, NULL),
        ('$.tokenizer.revision', 'text', false, NULL, NULL, NULL),
        ('$.tokenizer.sha256', 'text', false, '[0-9a-f]{64}', NULL, NULL),
        ('$.tokenizer.size', 'whole', false, NULL, 1, 2147483647),
        ('$.vocab_size', 'whole', true, NULL, 1, 2147483647),
        ('$.nucleus', 'object', true, NULL, NULL, NULL),
        ('$.nucleus.rule', 'text', true, 'covering|below|unspecified', NULL, NULL),
        ('$.nucleus.top_p', 'number', false, NULL, 5e-324, 1),
        ('$.nucleus.max_entries', 'whole', false, NULL, 1, 255),
        ('$.nucleus.order', 'text', false, 'descending|unspecified', NULL, NULL),
        ('$.tail', 'object', true, NULL, NULL, NULL),
        ('$.tail.num_sampled', 'whole', true, NULL, 1, 2147483647),
        ('$.tail.method', 'text', true, 'uniform|proportional|unspecified', NULL, NULL),
        ('$.tail.seed', 'whole', false, NULL, NULL, NULL),
        ('$.temperature', 'number', false, NULL, 1, 1),
        ('$.alignment', 'text', true, 'predicts|follows|unspecified', NULL, NULL),
        ('$.mask', 'object', false, NULL, NULL, NULL),
        ('$.mask.turns', 'text', false, NULL, NULL, NULL),
        ('$.mask.end_of_turn', 'boolean', false, NULL, NULL, NULL),
        ('$.mask.excluded', 'array', false, NULL, NULL, NULL),
        ('$.chat_template_sha256', 'text', false, '[0-9a-f]{64}', NULL, NULL),
        ('$.source', 'object', false, NULL, NULL, NULL),
        ('$.source.id', 'text', false, NULL, NULL, NULL),
        ('$.source.revision', 'text', false, NULL, NULL, NULL),
        ('$.source.split', 'text', false, NULL, NULL, NULL),
        ('$.writer', 'object', false, NULL, NULL, NULL),
        ('$.writer.name', 'text', false, NULL, NULL, NULL),
        ('$.writer.version', 'text', false, NULL, NULL, NULL)
    ) AS members(path, kind, required, pattern, least, most);

-- 'known' where the metadata in a BLOB are valid, of a version that these queries read; 'foreign' where they are of another
-- major version (META-2, which is judged first); 'absent' where they count as absent (META-1, META-7). DuckDB's parser
-- takes more than JSON has: NaN, and a comma after the last member.
CREATE OR REPLACE MACRO logitpack_metadata(document) AS TABLE
    WITH parsed AS (
        SELECT if(json_valid(text) AND json_type(text) = 'OBJECT', text::JSON, NULL) AS root
        FROM (SELECT if(octet_length(document) <= 1048576, TRY(decode(document)), NULL) AS text)
    ), found AS (
        SELECT *, json_type(root, path) AS type, json_extract_string(root, path) AS value,
            TRY_CAST(if(type IN ('UBIGINT', 'BIGINT', 'HUGEINT', 'UHUGEINT', 'DOUBLE'), value, NULL) AS DOUBLE) AS number
        FROM parsed, logitpack_members()
    ), judged AS (
        SELECT path, value, number, type IS NULL AND NOT required OR coalesce(CASE
            WHEN kind = 'text' THEN type = 'VARCHAR' AND (pattern IS NULL OR regexp_full_match(value, pattern, 's'))
            WHEN kind IN ('number', 'whole') THEN isfinite(number) AND (kind = 'number' OR number = floor(number))
                AND (least IS NULL OR number BETWEEN least AND most)
            ELSE type = upper(kind)
                AND (kind <> 'object' OR len(json_keys(root, path)) = len(list_distinct(json_keys(root, path))))
        END, false) AS holds
        FROM found
    ), named AS (
        SELECT bool_and(holds) AS holds,
            any_value(value) FILTER (path = '$.spec_version' AND holds) AS version,
            any_value(value) FILTER (path = '$.nucleus.rule') AS rule,
            count(number) FILTER (path IN ('$.nucleus.top_p', '$.nucleus.max_entries')) AS cuts,
            any_value(number) FILTER (path = '$.vocab_size') AS width,
            any_value(number) FILTER (path = '$.tokenizer.size') AS size
        FROM judged
    )
    SELECT CASE
        WHEN version IS NULL OR list_count(list_filter(json_keys(root), lambda k: k = 'spec_version')) <> 1 THEN 'absent'
        WHEN split_part(version, '.', 1) <> '1' THEN 'foreign'
        WHEN holds AND (rule = 'unspecified' OR cuts = 2) AND coalesce(size <= width, true)
            AND len(json_keys(root)) = len(list_distinct(json_keys(root)))
            AND coalesce(list_bool_and(list_transform(json_extract(root, '$.mask.excluded[*]'),
                                                      lambda item: json_type(item) = 'VARCHAR')), true) THEN 'known'
        ELSE 'absent'
    END AS state, TRY_CAST(width AS BIGINT) AS vocab_size
    FROM parsed, named;
